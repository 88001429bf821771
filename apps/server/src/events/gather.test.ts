import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { gatherEvents } from "./gather.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched() {
  const told: string[] = [];
  let isFull = false;
  const gathered = gatherEvents<"risks" | "nodes">(
    (topic, id) => void told.push(`${topic} ${id}`),
    () => isFull,
  );
  return { told, gathered, stall: (is: boolean) => (isFull = is) };
}

test("few events are told at once and by their ids, of each topic by itself", () => {
  const { told, gathered } = watched();
  gathered.tell("risks", "1");
  gathered.tell("nodes", "2");
  vi.advanceTimersByTime(10_000);
  gathered.tell("risks", "3");
  expect(told).toEqual(["risks 1", "nodes 2", "risks 3"]);
});

test("many events of a topic are told as one, and none is left out", () => {
  const { told, gathered } = watched();
  for (let n = 0; n < 10_000; n++) {
    gathered.tell("nodes", String(n));
    if (n % 100 === 0) vi.advanceTimersByTime(10);
  }
  vi.advanceTimersByTime(10_000);
  expect(told.length).toBeLessThan(10);
  expect([told[0], told.at(-1)]).toEqual(["nodes 0", "nodes "]);
  gathered.tell("nodes", "later");
  expect(told.at(-1)).toBe("nodes later");
});

test("the same event many times keeps its id", () => {
  const { told, gathered } = watched();
  for (let n = 0; n < 5; n++) gathered.tell("risks", "7");
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual(["risks 7", "risks 7"]);
});

test("for who does not read, events wait as one until they read again", () => {
  const { told, gathered, stall } = watched();
  stall(true);
  for (let n = 0; n < 1_000; n++) gathered.tell("risks", String(n));
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual([]);
  stall(false);
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual(["risks "]);
});

test("what waits when a stream ends is told before", () => {
  const { told, gathered } = watched();
  gathered.tell("risks", "1");
  gathered.tell("risks", "2");
  gathered.close();
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual(["risks 1", "risks 2"]);
});
