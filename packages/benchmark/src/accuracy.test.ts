import { expect, test } from "vitest";
import { measureConfig } from "../../../bench/accuracy/config.ts";

test("the checks are right on the labelled corpus", () => {
  const { positives, negatives, precision, recall, wrong } = measureConfig();
  expect(positives).toBeGreaterThanOrEqual(100);
  expect(negatives).toBeGreaterThanOrEqual(400);
  expect(wrong).toEqual([]);
  expect([precision, recall]).toEqual([1, 1]);
});
