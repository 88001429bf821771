import type { Channel } from "../channel.ts";
import { chatText } from "./chat-text.ts";
import { httpProblem, postJson, refusalIn } from "./post-json.ts";

/** WeCom, "Group robot configuration": a text has 2,048 bytes at most. */
const MAX_BYTES = 2_048;
/** WeCom, "Global error codes": busy, called too often. */
const PASSING = new Set([-1, 45009]);

/** Robots of WeCom groups. Text messages are not read as markup, and mention nobody. */
export const wecom: Channel = {
  kind: "wecom",
  check: (address) => httpProblem(address),
  async send(target, message) {
    const body = { msgtype: "text", text: { content: chatText(message, MAX_BYTES) } };
    return postJson(target, target.address, JSON.stringify(body), {
      refusalOf: (answer) => refusalIn(answer, { code: "errcode", text: "errmsg" }, PASSING),
    });
  },
};
