import { randomUUID } from "node:crypto";

/** What is told once and in order: audit events, decisions. */
export interface Spool<Item> {
  /** Items that wait, sent or not. */
  readonly size: number;
  /** Items that were thrown away since the start. */
  readonly dropped: number;
  add(item: Item): void;
  /** Items that were thrown away before they came here. */
  lost(count: number): void;
  acknowledged(position: { readonly epoch: string; readonly sequence: number }): void;
  /** The stream was cut: what was not acknowledged is sent again, under its old numbers. */
  cut(): void;
  close(): void;
}

interface Batch<Item> {
  readonly sequence: number;
  readonly items: readonly Item[];
  readonly dropped: number;
  isSent: boolean;
}

export interface SpoolBounds {
  /** Items that may wait. */
  readonly capacity: number;
  /** Items of one batch. */
  readonly batch: number;
  readonly everyMs: number;
  /** Batches that are not acknowledged yet. */
  readonly window: number;
}

/** Gateways take messages of 8 MiB; a batch that is larger would be sent for ever. */
const MAX_BATCH_BYTES = 2 * 1024 * 1024;

/**
 * Keeps items until the server has stored them, up to a bound; beyond it new ones are thrown away and counted, and the count goes with the
 * next batch.
 *
 * @param send tries to send a batch; false where there is no stream for now
 */
export function createSpool<Item>(
  send: (batch: {
    readonly epoch: string;
    readonly sequence: number;
    readonly items: readonly Item[];
    readonly dropped: number;
  }) => boolean,
  bounds: SpoolBounds,
  sizeOf: (item: Item) => number,
): Spool<Item> {
  const epoch = randomUUID();
  const batches: Batch<Item>[] = [];
  let waiting: Item[] = [];
  let held = 0;
  let sequence = 0;
  let untold = 0;
  let dropped = 0;
  const pump = () => {
    while (batches.length < bounds.window && (waiting.length > 0 || untold > 0)) {
      const items = firstOf(waiting, bounds.batch, sizeOf);
      waiting = waiting.slice(items.length);
      batches.push({ sequence: ++sequence, items, dropped: untold, isSent: false });
      untold = 0;
    }
    for (const batch of batches) {
      if (batch.isSent) continue;
      const { items, dropped } = batch;
      if (!send({ epoch, sequence: batch.sequence, items, dropped })) return;
      batch.isSent = true;
    }
  };
  const timer = setInterval(pump, bounds.everyMs);
  timer.unref();
  return {
    get size() {
      return held;
    },
    get dropped() {
      return dropped;
    },
    add(item) {
      if (held >= bounds.capacity) {
        untold++;
        dropped++;
        return;
      }
      held++;
      waiting.push(item);
    },
    lost(count) {
      untold += count;
      dropped += count;
    },
    acknowledged({ epoch: of, sequence: upTo }) {
      if (of !== epoch) return;
      while (batches[0] !== undefined && batches[0].sequence <= upTo) held -= batches.shift()!.items.length;
      pump();
    },
    cut() {
      for (const batch of batches) batch.isSent = false;
    },
    close: () => clearInterval(timer),
  };
}

/** As many of the first items as fit a batch; the first always does. */
function firstOf<Item>(items: readonly Item[], most: number, sizeOf: (item: Item) => number): readonly Item[] {
  let bytes = 0;
  let count = 0;
  for (const item of items.slice(0, most)) {
    bytes += sizeOf(item);
    if (count > 0 && bytes > MAX_BATCH_BYTES) break;
    count++;
  }
  return items.slice(0, count);
}
