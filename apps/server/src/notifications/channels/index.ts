import type { Channel } from "../channel.ts";
import { dingtalk } from "./dingtalk.ts";
import { email } from "./email.ts";
import { feishu } from "./feishu.ts";
import { issue } from "./issue.ts";
import { slack } from "./slack.ts";
import { webhook } from "./webhook.ts";
import { wecom } from "./wecom.ts";

/** All ways to send messages; a new one is a line here. */
export const CHANNELS: readonly Channel[] = [webhook, email, slack, dingtalk, wecom, feishu, issue];

/** @throws RangeError for a kind that this release does not know */
export function channelOf(kind: string): Channel {
  const found = CHANNELS.find((channel) => channel.kind === kind);
  if (found === undefined) throw new RangeError(`no channel of the kind ${kind}`);
  return found;
}
