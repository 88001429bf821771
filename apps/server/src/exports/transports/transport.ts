import type { ExportKind } from "@bulwark/store";
import type { Outbound } from "../../security/outbound.ts";
import type { ExportRecord } from "../export-record.ts";

/** How a target is set; what a kind does not use is left out. */
export interface TransportSettings {
  /** PEM text of an authority to trust beside those that Node brings. */
  readonly caPem?: string;
  readonly allowPrivate?: boolean;
  /** Kafka: where records go. */
  readonly topic?: string;
  /** Kafka: who logs in; the secret is the password. */
  readonly username?: string;
  readonly mechanism?: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
}

export interface TransportOptions {
  readonly address: string;
  readonly secret: string;
  readonly settings: TransportSettings;
  readonly outbound: Outbound;
  readonly clock: () => Date;
  /** Time that a receiver has to take one call of `send`. */
  readonly withinMs: number;
}

/** A way to one receiver. */
export interface Transport {
  /**
   * Sends records, in order. It resolves when the receiver has them, as far as its protocol can tell; when it rejects, any of
   * them may have arrived, and all are sent again.
   */
  send(records: readonly ExportRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** A kind of receiver. A new one is a file in transports/, and a line in transports/index.ts. */
export interface TransportKind {
  readonly kind: ExportKind;
  /** What is wrong with an address or settings, as a sentence; undefined when nothing is. */
  check(address: string, settings: TransportSettings, secret: string): string | undefined;
  /** Hosts that it will connect to, as URLs for the guard of outbound requests. */
  hosts(address: string): readonly string[];
  open(options: TransportOptions): Promise<Transport>;
}
