import type { AdmissionBundle, FactsAnswer, Violation } from "@bulwark/kubernetes";
import type { NewDecision } from "@bulwark/store";

/**
 * Where a replica of the admission role gets what it judges by, and where it tells what it decided. The stream to the gateway is
 * one; tests have others. Nothing here may block: a replica whose server is gone still judges by what it has.
 */
export interface AdmissionSource {
  /** The newest bundle; undefined before the first came. */
  bundle(): AdmissionBundle | undefined;
  /** Whether questions reach the server now. */
  isConnected(): boolean;
  /**
   * Asks for facts. The server answers when all images are known, or at the latest after its own wait with what is pending.
   *
   * @param references as they stand in the object
   * @param signal aborted when nobody waits for the answer any more
   */
  facts(references: readonly string[], namespace: string, signal: AbortSignal): Promise<FactsAnswer>;
  /** Takes over a batch; false when it cannot, and the batch is to be offered again. */
  report(batch: DecisionBatch): boolean;
  /** Calls when something changed. @returns ends it */
  onChange(listener: (change: SourceChange) => void): () => void;
}

export type SourceChange =
  | { readonly what: "bundle" }
  /** What was answered about these images, or about everything, holds no more. */
  | { readonly what: "images"; readonly digests: readonly string[]; readonly all: boolean };

export const VERDICTS = ["allowed", "audited", "denied", "broken-glass"] as const;
export type DecisionVerdict = (typeof VERDICTS)[number];

/** One decision, or many that are the same. */
export interface Decision extends NewDecision {
  /** uid of the first request. */
  readonly uid: string;
  readonly verdict: DecisionVerdict;
  readonly violations: readonly Violation[];
}

export interface DecisionBatch {
  readonly decisions: readonly Decision[];
  /** Decisions that were thrown away since the batch before. */
  readonly dropped: number;
}
