import { createHmac } from "node:crypto";
import type { Channel } from "../channel.ts";
import { chatText } from "./chat-text.ts";
import { httpProblem, postJson, refusalIn } from "./post-json.ts";

/** Feishu, "Custom bot usage guide": a request has 20 kB at most. */
const MAX_BYTES = 15_000;
/** Feishu: requests too often, of the bot and of the tenant. */
const PASSING = new Set([9499, 11232, 11233]);

/** Custom bots of Feishu and Lark groups, signed where the bot's security settings ask for it. */
export const feishu: Channel = {
  kind: "feishu",
  check: (address) => httpProblem(address),
  async send(target, message) {
    const [title = "", ...rest] = chatText(message, MAX_BYTES).split("\n");
    const content = rest.map((text) => [{ tag: "text", text: text === "" ? " " : text }]);
    const language = message.language === "zh" ? "zh_cn" : "en_us";
    const body = { msg_type: "post", content: { post: { [language]: { title, content } } } };
    const seconds = Math.floor(target.now.getTime() / 1_000);
    const signed =
      target.secret === "" ? {} : { timestamp: String(seconds), sign: signatureOf(target.secret, seconds) };
    return postJson(target, target.address, JSON.stringify({ ...signed, ...body }), {
      refusalOf: (answer) => refusalIn(answer, { code: "code", text: "msg" }, PASSING),
    });
  },
};

/** Feishu, "Custom bot usage guide", signature verification: HMAC-SHA256 of nothing, under seconds, a line feed and the secret. */
function signatureOf(secret: string, seconds: number): string {
  return createHmac("sha256", `${seconds}\n${secret}`).digest("base64");
}
