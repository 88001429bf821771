import { expect, test } from "vitest";
import { SHIPPED_CHECKS } from "../testing/content.ts";
import { fixDockerfile } from "./fix.ts";
import { FIXES } from "./fixes.ts";
import { lintDockerfile } from "./lint.ts";

const CHECKS = SHIPPED_CHECKS.filter(({ subject }) => subject === "dockerfile");
/** Only says something when registries are configured; lint.test.ts tries it. */
const NEEDS_OPTIONS = "dockerfile-base-public-registry";

test("there are at least 40 checks for Dockerfiles", () => {
  expect(CHECKS.length).toBeGreaterThanOrEqual(40);
});

test.each(CHECKS.filter(({ id }) => id !== NEEDS_OPTIONS))(
  "$id finds its bad samples and passes its good ones",
  (check) => {
    expect(check.samples.bad.length).toBeGreaterThan(0);
    expect(check.samples.good.length).toBeGreaterThan(0);
    for (const { content } of check.samples.bad) {
      const { facts, problems } = lintDockerfile(content, [check]);
      expect(problems, content).toEqual([]);
      expect(
        facts.map(({ id }) => id),
        content,
      ).toContain(check.id);
      expect(
        facts.every(({ line = 0 }) => line > 0),
        content,
      ).toBe(true);
    }
    for (const { content } of check.samples.good) {
      const { facts, problems } = lintDockerfile(content, [check]);
      expect(problems, content).toEqual([]);
      expect(facts, content).toEqual([]);
    }
  },
);

test.each(CHECKS.filter(({ fix }) => fix !== ""))("the fix of $id mends its bad samples", (check) => {
  expect(Object.keys(FIXES)).toContain(check.fix);
  for (const { content } of check.samples.bad) {
    const fixed = fixDockerfile(content, lintDockerfile(content, [check]).facts);
    expect(fixed.applied.length, content).toBeGreaterThan(0);
    expect(lintDockerfile(fixed.text, [check]).facts, fixed.text).toEqual([]);
  }
});

test("every fix is named by a check", () => {
  expect(Object.keys(FIXES).filter((id) => !CHECKS.some(({ fix }) => fix === id))).toEqual([]);
});
