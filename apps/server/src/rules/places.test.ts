import type { markedContainers, Store } from "@bulwark/store";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openPlaceBook } from "./places.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type MarkedContainer = Awaited<ReturnType<typeof markedContainers>>[number];

/** A book whose readings end when the test says so, with what it says. */
function watched() {
  const readings: ((found: readonly MarkedContainer[]) => void)[] = [];
  const changes: (readonly number[])[] = [];
  const store = {
    tenant: () => new Promise((resolve) => readings.push(resolve)),
  } as unknown as Store;
  const book = openPlaceBook(
    store,
    () => new Date(),
    (_tenant, nodes) => void changes.push(nodes),
  );
  return { book, readings, changes };
}

const exposed = (id: string): MarkedContainer => ({ nodeId: 7, id, exposed: true, selfBuilt: false });

test("a node is read once for all who ask for it at first", async () => {
  const { book, readings } = watched();
  const both = Promise.all([book.load(1, 7), book.load(1, 7)]);
  expect(readings.length).toBe(1);
  readings[0]!([exposed("a")]);
  for (const places of await both) expect([...places.exposed]).toEqual(["a"]);
});

test("what changes while a node is read for the first time is not missed, and is told", async () => {
  const { book, readings, changes } = watched();
  const first = book.load(1, 7);
  book.containersChanged(1, 7);
  readings[0]!([]);
  expect([...(await first).exposed]).toEqual([]);
  await vi.advanceTimersByTimeAsync(2_000);
  readings[1]!([exposed("late")]);
  await vi.advanceTimersByTimeAsync(0);
  expect([...book.of(1, 7).exposed]).toEqual(["late"]);
  expect(changes).toEqual([[7]]);
});

test("nodes that are connected elsewhere are never read", async () => {
  const { book, readings } = watched();
  book.containersChanged(1, 8);
  book.registriesChanged(1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(readings).toEqual([]);
});
