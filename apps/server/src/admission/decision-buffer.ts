import { sameDecision } from "./same-decision.ts";
import type { AdmissionSource, Decision } from "./source.ts";

/** Different decisions that wait to be reported: 50 MB at the very most. */
const MAX_WAITING = 1_000;
const MAX_BATCH = 500;
const FLUSH_MS = 1_000;

/** Holds decisions until the server takes them: the same ones are one with a count, and what does not fit is counted. */
export interface DecisionBuffer {
  add(decision: Decision): void;
  /** Offers what waits. */
  flush(): void;
  readonly dropped: number;
  readonly waiting: number;
  close(): void;
}

export function createDecisionBuffer(source: Pick<AdmissionSource, "report">): DecisionBuffer {
  const waiting = new Map<string, Decision>();
  let dropped = 0;
  let droppedEver = 0;
  const flush = () => {
    while (waiting.size > 0 || dropped > 0) {
      const batch = [...waiting].slice(0, MAX_BATCH);
      if (!source.report({ decisions: batch.map(([, decision]) => decision), dropped })) return;
      dropped = 0;
      for (const [key] of batch) waiting.delete(key);
    }
  };
  const timer = setInterval(flush, FLUSH_MS);
  timer.unref();
  return {
    add(decision) {
      const key = sameDecision(decision);
      const same = waiting.get(key);
      if (same !== undefined) {
        const { count, lastAt, tookMs } = decision;
        waiting.set(key, { ...same, count: same.count + count, lastAt, tookMs: Math.max(same.tookMs, tookMs) });
        return;
      }
      if (waiting.size >= MAX_WAITING) flush();
      if (waiting.size < MAX_WAITING) {
        waiting.set(key, decision);
        return;
      }
      droppedEver += decision.count;
      dropped += decision.count;
    },
    flush,
    get dropped() {
      return droppedEver;
    },
    get waiting() {
      return waiting.size;
    },
    close() {
      clearInterval(timer);
      flush();
    },
  };
}
