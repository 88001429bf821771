import { expect, test } from "vitest";
import { type ConfigSample, configSamples, measureConfig } from "../../../bench/accuracy/config.ts";
import { SHIPPED_CHECKS } from "./testing/content.ts";

test("the checks are right on the labelled corpus", () => {
  const { positives, negatives, precision, recall, wrong } = measureConfig();
  expect(positives).toBeGreaterThanOrEqual(100);
  expect(negatives).toBeGreaterThanOrEqual(400);
  expect(wrong).toEqual([]);
  expect([precision, recall]).toEqual([1, 1]);
});

test("the corpus names only checks that exist, and no file of it is a sample of a check", () => {
  const corpus: readonly ConfigSample[] = configSamples();
  const ids = new Set(SHIPPED_CHECKS.map(({ id }) => id));
  expect(corpus.flatMap(({ expected }) => expected).filter((id) => !ids.has(id))).toEqual([]);
  const samples = new Set(
    SHIPPED_CHECKS.flatMap(({ samples: { bad, good } }) => [...bad, ...good]).map(({ content }) => content.trim()),
  );
  expect(corpus.filter(({ content }) => samples.has(content.trim())).map(({ name }) => name)).toEqual([]);
});

test("the corpus has no file twice", () => {
  const corpus = configSamples().map(({ path, content }) => `${path}\n${content}`);
  expect(corpus.length - new Set(corpus).size).toBe(0);
});
