import { createHmac } from "node:crypto";
import type { Channel } from "../channel.ts";
import { chatText } from "./chat-text.ts";
import { httpProblem, postJson, refusalIn } from "./post-json.ts";

/** A message of a robot has 20,000 bytes at most. */
const MAX_BYTES = 18_000;
/** DingTalk, "Global error codes": busy, sending too fast. */
const PASSING = new Set([-1, 130101, 410100]);

/** Custom robots of DingTalk groups; with a secret the request is signed as the robot's security setting asks. */
export const dingtalk: Channel = {
  kind: "dingtalk",
  check: (address) => httpProblem(address),
  async send(target, message) {
    const body = { msgtype: "text", text: { content: chatText(message, MAX_BYTES) }, at: { isAtAll: false } };
    const url = new URL(target.address);
    if (target.secret !== "") sign(url, target.secret, target.now.getTime());
    return postJson(target, url, JSON.stringify(body), {
      refusalOf: (answer) => refusalIn(answer, { code: "errcode", text: "errmsg" }, PASSING),
    });
  },
};

/** DingTalk, "Custom robot security settings": HMAC-SHA256 of milliseconds, a line feed and the secret, under the secret. */
function sign(url: URL, secret: string, milliseconds: number): void {
  const signature = createHmac("sha256", secret).update(`${milliseconds}\n${secret}`).digest("base64");
  url.searchParams.set("timestamp", String(milliseconds));
  url.searchParams.set("sign", signature);
}
