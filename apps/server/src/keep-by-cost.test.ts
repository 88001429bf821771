import { expect, test } from "vitest";
import { keepByCost } from "./keep-by-cost.ts";

/** A question whose answers are counted, and a clock that each of them moves on. */
function dear(tookMs: number) {
  let now = 0;
  let asked = 0;
  const kept = keepByCost<number>(() => now);
  const ask = (key = "a") =>
    kept(key, async () => {
      await Promise.resolve();
      now += tookMs;
      return ++asked;
    });
  return { ask, kept, wait: (ms: number) => (now += ms) };
}

test("what took long is given again for ten times as long", async () => {
  const { ask, wait } = dear(2_000);
  expect(await ask()).toBe(1);
  wait(19_999);
  expect(await ask()).toBe(1);
  wait(1);
  expect(await ask()).toBe(2);
});

test("what is cheap is asked for each time", async () => {
  const { ask } = dear(999);
  expect([await ask(), await ask()]).toEqual([1, 2]);
});

test("all who ask while it is under way share one answer, and each key has its own", async () => {
  const { ask } = dear(10);
  expect(await Promise.all([ask(), ask(), ask("b")])).toEqual([1, 1, 2]);
});

test("a question that failed is asked again", async () => {
  const { kept, ask } = dear(5_000);
  const failing = () => kept("a", () => Promise.reject(new Error("away")));
  await expect(Promise.all([failing(), failing()])).rejects.toThrow("away");
  expect(await ask()).toBe(1);
});
