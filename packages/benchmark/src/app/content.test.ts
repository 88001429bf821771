import { expect, test } from "vitest";
import { appFacts } from "../testing/app.ts";
import { SHIPPED_CHECKS } from "../testing/content.ts";
import { CONFIG_READERS } from "./readers.ts";

const CHECKS = SHIPPED_CHECKS.filter(({ subject }) => subject.startsWith("app:"));

test("there are at least 60 checks over at least 10 programs", () => {
  expect(CHECKS.length).toBeGreaterThanOrEqual(60);
  expect(new Set(CHECKS.map(({ subject }) => subject)).size).toBeGreaterThanOrEqual(10);
});

test("every check speaks of a program that has a reader, and every reader has checks", () => {
  const readers = CONFIG_READERS.map(({ id }) => `app:${id}`);
  expect([...new Set(CHECKS.map(({ subject }) => subject as string))].sort()).toEqual([...readers].sort());
});

test.each(CHECKS)("$id finds its bad samples and passes its good ones", (check) => {
  expect(check.samples.bad.length).toBeGreaterThan(0);
  expect(check.samples.good.length).toBeGreaterThan(0);
  for (const sample of check.samples.bad) {
    const { facts, problems } = appFacts([check], sample);
    expect(problems, sample.content).toEqual([]);
    expect(
      facts.map(({ id }) => id),
      sample.content,
    ).toContain(check.id);
    expect(facts.every(({ line = 0 }) => line > 0) || check.at.length > 0, sample.content).toBe(true);
  }
  for (const sample of check.samples.good) {
    const { facts, problems } = appFacts([check], sample);
    expect(problems, sample.content).toEqual([]);
    expect(facts, sample.content).toEqual([]);
  }
});

test("no message shows a password", () => {
  const shown = CHECKS.filter(({ message }) =>
    /password|requirepass|default_pass/i.test(message.match(/\{[^}]*\}/g)?.join("") ?? ""),
  );
  expect(shown.map(({ id }) => id)).toEqual([]);
});
