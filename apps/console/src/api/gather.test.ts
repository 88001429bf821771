import { expect, test } from "vitest";
import { nextWait } from "./gather.ts";

/** When a page reads again, for events at these times. */
function readings(events: readonly number[]): readonly number[] {
  const reads: number[] = [];
  let last: Parameters<typeof nextWait>[0];
  for (const now of events) {
    if (reads.length > 0 && now < reads.at(-1)!) continue;
    const waitMs = nextWait(last, now);
    reads.push(now + waitMs);
    last = { at: now + waitMs, waitMs };
  }
  return reads;
}

test("one event is read at once, and so is the next one after a while of quiet", () => {
  expect(readings([0, 10_000, 60_000])).toEqual([400, 10_400, 60_400]);
});

test("events that never end are read more and more seldom, and never later than some seconds after they came", () => {
  const events = Array.from({ length: 12_000 }, (_, n) => n * 10);
  const reads = readings(events);
  expect(reads.slice(0, 4)).toEqual([400, 1_200, 2_800, 6_000]);
  expect(reads.length).toBeLessThan(25);
  const gaps = reads.slice(1).map((at, n) => at - reads[n]!);
  expect(Math.max(...gaps)).toBe(6_400);
});
