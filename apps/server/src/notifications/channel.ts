import type { ChannelKind } from "@bulwark/store";
import type { Outbound } from "../security/outbound.ts";
import type { Message } from "./message.ts";

/** How a channel is set; what a kind does not use is left out. */
export interface ChannelSettings {
  readonly username?: string;
  /** Sender of e-mail. */
  readonly from?: string;
  readonly to?: readonly string[];
  /** JSON with placeholders, of which issues are made. */
  readonly template?: string;
  readonly caPem?: string;
  readonly allowPrivate?: boolean;
  readonly language?: "en" | "zh";
  readonly digest?: "none" | "hourly" | "daily";
  /** Hour of the daily digest, in the channel's time zone. */
  readonly digestHour?: number;
  /** `HH:MM`, in the channel's time zone; messages wait until they are over. */
  readonly quietFrom?: string;
  readonly quietTo?: string;
  readonly timeZone?: string;
}

/** What a channel needs to send one message. */
export interface Target {
  readonly address: string;
  readonly secret: string;
  readonly settings: ChannelSettings;
  /** Address of one person in place of those of the settings; empty: none. */
  readonly recipient: string;
  readonly outbound: Outbound;
  readonly now: Date;
  readonly signal: AbortSignal;
}

/** What came of an attempt. `again`: another attempt may succeed. */
export type Receipt =
  | { readonly ok: true; readonly status: number | null }
  | {
      readonly ok: false;
      readonly status: number | null;
      readonly problem: string;
      readonly again: boolean;
      /** The receiver asked to wait so long. */
      readonly afterSeconds?: number;
    };

/** A way to send messages. A new one is a file in channels/, and a line in channels/index.ts. */
export interface Channel {
  readonly kind: ChannelKind;
  /** What is wrong with settings, as a sentence; undefined when nothing is. */
  check(address: URL, settings: ChannelSettings, secret: string): string | undefined;
  /** Sends a message; a refusal is a receipt, a failure to connect is thrown. */
  send(target: Target, message: Message): Promise<Receipt>;
}
