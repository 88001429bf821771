import { createHash } from "node:crypto";
import { signatureHeader } from "../../notifications/channels/webhook.ts";
import type { TransportKind } from "./transport.ts";

const MIN_SECRET = 16;
const MAX_SHOWN = 200;

/**
 * Posts records as lines of JSON, signed as notifications are: `x-bulwark-signature` is HMAC-SHA256 under the target's secret
 * of the seconds, a full stop and the body. Statuses from 200 to 299 mean that the receiver has all of them.
 */
export const webhook: TransportKind = {
  kind: "webhook",
  check(address, _settings, secret) {
    const url = URL.parse(address);
    if (url === null || !/^https?:$/.test(url.protocol)) return "the address begins with https://";
    if (url.username !== "" || url.password !== "") return "the address holds a user or password";
    return secret.length < MIN_SECRET
      ? `a webhook needs a secret of ${MIN_SECRET} characters or more to sign with`
      : undefined;
  },
  hosts: (address) => [address],
  async open({ address, secret, outbound, clock, withinMs }) {
    return {
      async send(records) {
        const body = `${records.map(({ text }) => text).join("\n")}\n`;
        const first = records[0]?.id ?? "";
        const headers = {
          "content-type": "application/x-ndjson; charset=utf-8",
          "content-length": String(Buffer.byteLength(body)),
          "user-agent": "bulwark",
          "x-bulwark-signature": signatureHeader(secret, clock(), body),
          "x-bulwark-delivery": `${first}-${createHash("sha256").update(body).digest("hex").slice(0, 16)}`,
        };
        const signal = AbortSignal.timeout(withinMs);
        const answer = await outbound.fetch(address, { method: "POST", headers, body, signal });
        const told = (await answer.text())
          .replace(/[\p{Cc}\s]+/gu, " ")
          .trim()
          .slice(0, MAX_SHOWN);
        if (answer.status >= 200 && answer.status < 300) return;
        throw new Error(`the receiver answers with status ${answer.status}${told === "" ? "" : `: ${told}`}`);
      },
      async close() {},
    };
  },
};
