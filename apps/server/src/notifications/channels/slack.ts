import type { Channel } from "../channel.ts";
import { httpProblem, postJson } from "./post-json.ts";

/** Slack, "Block Kit": a header has 150 characters at most, a text 3,000. */
const MAX_HEADER = 150;
const MAX_TEXT = 2_900;

/** Slack's incoming webhooks. Blocks are of plain text, so that no name becomes a link or a mention. */
export const slack: Channel = {
  kind: "slack",
  check: (address) => httpProblem(address),
  async send(target, { subject, lines, link }) {
    const text = [...lines, ...(link === "" ? [] : [link])].join("\n").slice(0, MAX_TEXT).toWellFormed();
    const blocks = [
      { type: "header", text: { type: "plain_text", text: subject.slice(0, MAX_HEADER).toWellFormed(), emoji: false } },
      { type: "section", text: { type: "plain_text", text: text === "" ? subject : text, emoji: false } },
    ];
    return postJson(target, target.address, JSON.stringify({ text: escaped(subject), blocks }));
  },
};

/** Slack, "Formatting text for app surfaces", escaping: what is left makes no link and calls nobody. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
