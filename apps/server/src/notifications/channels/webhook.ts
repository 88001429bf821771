import { createHmac } from "node:crypto";
import type { Channel } from "../channel.ts";
import { httpProblem, postJson } from "./post-json.ts";

const MIN_SECRET = 16;

/**
 * Posts the message as JSON. `x-bulwark-signature: t=<seconds>,v1=<hex>` is HMAC-SHA256 under the channel's secret of the
 * seconds, a full stop and the body: a receiver checks it, and that the time is near (docs/notifications.md).
 */
export const webhook: Channel = {
  kind: "webhook",
  check(address, _settings, secret) {
    if (secret.length < MIN_SECRET) return `a webhook needs a secret of ${MIN_SECRET} characters or more to sign with`;
    return httpProblem(address);
  },
  async send(target, message) {
    const body = JSON.stringify(message);
    const headers = {
      "x-bulwark-signature": signatureHeader(target.secret, target.now, body),
      "x-bulwark-delivery": message.id,
    };
    return postJson(target, target.address, body, { headers });
  },
};

/** `t=<seconds>,v1=<hex>`, with which a receiver knows who sent a body, and when. */
export function signatureHeader(secret: string, now: Date, body: string): string {
  const seconds = Math.floor(now.getTime() / 1_000);
  return `t=${seconds},v1=${createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex")}`;
}
