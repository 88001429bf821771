import { afterEach, expect, test, vi } from "vitest";
import { createSpool, type Spool } from "./spool.ts";

const BOUNDS = { capacity: 10, batch: 3, everyMs: 10, window: 2 };

interface Sent {
  readonly sequence: number;
  readonly items: readonly string[];
  readonly dropped: number;
  readonly epoch: string;
}

let spool: Spool<string>;
afterEach(() => {
  spool.close();
  vi.useRealTimers();
});

function open(takes: () => boolean = () => true) {
  vi.useFakeTimers();
  const sent: Sent[] = [];
  spool = createSpool<string>(
    (batch) => {
      if (takes()) sent.push(batch);
      return takes();
    },
    BOUNDS,
    (item) => item.length,
  );
  return sent;
}

test("items go in order, in batches, no more of them than may be under way", () => {
  const sent = open();
  for (const item of "abcdefgh") spool.add(item);
  vi.advanceTimersByTime(10);
  expect(sent.map(({ sequence, items }) => [sequence, items.join("")])).toEqual([
    [1, "abc"],
    [2, "def"],
  ]);
  spool.acknowledged({ epoch: sent[0]!.epoch, sequence: 1 });
  expect(sent.at(-1)).toMatchObject({ sequence: 3, items: ["g", "h"] });
  expect(spool.size).toBe(5);
});

test("what was not acknowledged is sent again under its number when the stream was cut", () => {
  const sent = open();
  for (const item of "abcd") spool.add(item);
  vi.advanceTimersByTime(10);
  spool.acknowledged({ epoch: sent[0]!.epoch, sequence: 1 });
  spool.cut();
  vi.advanceTimersByTime(10);
  expect(sent.map(({ sequence }) => sequence)).toEqual([1, 2, 2]);
});

test("beyond the bound items are thrown away, and the next batch says how many", () => {
  let isOpen = false;
  const sent = open(() => isOpen);
  for (let n = 0; n < 14; n++) spool.add(String(n));
  spool.lost(3);
  expect(spool.dropped).toBe(7);
  isOpen = true;
  vi.advanceTimersByTime(10);
  expect(sent.map(({ dropped }) => dropped)).toEqual([7, 0]);
});

test("acknowledgements of another epoch say nothing", () => {
  const sent = open();
  spool.add("a");
  vi.advanceTimersByTime(10);
  spool.acknowledged({ epoch: "another", sequence: 1 });
  expect(spool.size).toBe(1);
  expect(sent).toHaveLength(1);
});

test("a batch has no more bytes than a gateway takes, but for one item that is larger by itself", () => {
  const sent = open();
  const large = "x".repeat(1_500_000);
  for (const item of [large, large, "small"]) spool.add(item);
  vi.advanceTimersByTime(10);
  expect(sent.map(({ items }) => items.map(({ length }) => length))).toEqual([[1_500_000], [1_500_000, 5]]);
});
