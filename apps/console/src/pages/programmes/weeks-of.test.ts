import { expect, test } from "vitest";
import { byOwner, byWeek, rateOf } from "./weeks-of.ts";

const ada = { id: 1, name: "Ada" };
const row = (week: string, owner: typeof ada | null, passed: number, failed: number) => ({
  ...{ week, owner, passed, failed, waiting: 1, images: passed + failed + 1, rate: null },
});
const ROWS = [row("2026-W02", ada, 3, 1), row("2026-W01", null, 0, 5), row("2026-W01", ada, 2, 0)];

test("weeks are in order, and owners by what failed; those without owner are one of them", () => {
  expect(byWeek(ROWS)).toEqual([
    { week: "2026-W01", passed: 2, failed: 5, waiting: 2 },
    { week: "2026-W02", passed: 3, failed: 1, waiting: 1 },
  ]);
  expect(byOwner(ROWS)).toEqual([
    { owner: null, passed: 0, failed: 5, waiting: 1 },
    { owner: ada, passed: 5, failed: 1, waiting: 2 },
  ]);
});

test("what was not assessed has no rate", () => {
  expect(rateOf({ passed: 0, failed: 0, waiting: 3 })).toBeUndefined();
  expect(rateOf({ passed: 3, failed: 1, waiting: 0 })).toBe(0.75);
});
