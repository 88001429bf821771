import { CodedError } from "@bulwark/model";
import { channelSecret, type StoredChannel, type TenantQueries } from "@bulwark/store";
import { createOutbound } from "../security/outbound.ts";
import type { SecretBox } from "../security/secret-box.ts";
import type { ChannelSettings, Receipt } from "./channel.ts";
import { channelOf } from "./channels/index.ts";
import { type Content, plain } from "./message.ts";
import { writeMessage } from "./write-message.ts";

const MAX_PROBLEM = 500;
/** Refusals of ours that another attempt does not change. */
const PERMANENT: ReadonlySet<string> = new Set(["ADDRESS_REFUSED", "INVALID_REQUEST", "KEY_UNKNOWN", "SECRET_BROKEN"]);

/** Address and secret of a channel, as they are sealed together. */
export interface ChannelSecrets {
  readonly address: string;
  readonly secret: string;
}

/** What a channel's address and secret are sealed for. */
export function channelPurpose(channel: number): string {
  return `channel/${channel}`;
}

/** Opens the address and the secret of a channel. */
export async function openChannel(
  db: TenantQueries,
  secrets: SecretBox,
  tenantId: number,
  channel: number,
): Promise<ChannelSecrets> {
  const sealed = await channelSecret(db, channel);
  if (sealed === undefined) throw new CodedError("INVALID_REQUEST", `the channel ${channel} has no address`);
  return JSON.parse(await secrets.open(tenantId, channelPurpose(channel), sealed)) as ChannelSecrets;
}

/** Sends one message. Whatever happens is a receipt. */
export async function send(
  channel: Pick<StoredChannel, "kind" | "settings">,
  opened: () => ChannelSecrets,
  message: {
    readonly id: string;
    readonly at: string;
    readonly recipient: string;
    readonly content: Content;
    readonly publicUrl: string;
  },
  { now, withinMs }: { readonly now: Date; readonly withinMs: number },
): Promise<Receipt> {
  const settings: ChannelSettings = channel.settings;
  const { caPem, allowPrivate = false, language = "en" } = settings;
  const outbound = createOutbound({ allowPrivate, ...(caPem === undefined ? {} : { ca: caPem }) });
  const signal = AbortSignal.timeout(withinMs);
  try {
    const { id, at, recipient, content, publicUrl } = message;
    const written = writeMessage(content, { id, at, language, publicUrl });
    const target = { ...opened(), settings, recipient, outbound, now, signal };
    const receipt = await channelOf(channel.kind).send(target, written);
    return receipt.ok ? receipt : { ...receipt, problem: plain(receipt.problem).slice(0, MAX_PROBLEM) };
  } catch (error) {
    const again = !(error instanceof CodedError && PERMANENT.has(error.code));
    const told = signal.aborted ? `the receiver does not answer within ${withinMs / 1_000} s` : problemOf(error);
    return { ok: false, status: null, problem: plain(told).slice(0, MAX_PROBLEM), again };
  } finally {
    outbound.close();
  }
}

function problemOf(error: unknown): string {
  if (error instanceof CodedError && error.next !== "") return `${error.message}; ${error.next}`;
  return error instanceof Error ? error.message : String(error);
}
