import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BENCHMARK_SUBJECTS, factKindOf } from "./check.ts";
import { compileFactRequest } from "./fact-request.ts";
import { CLUSTER_LISTS, NO_FACTS } from "./facts.ts";
import { judge } from "./judge.ts";
import { checksOf, readProfiles, readTechniques } from "./profiles.ts";
import { readBenchmarks } from "./read-benchmarks.ts";
import { factsOfSample } from "./sample.ts";

const ROOT = join(import.meta.dirname, "../../../../content/benchmarks");
const FILES = readdirSync(ROOT, { recursive: true, encoding: "utf8" }).filter((path) => /\/.*\.yaml$/.test(path));
const CHECKS = FILES.sort().flatMap((path) => readBenchmarks(readFileSync(join(ROOT, path), "utf8"), path));
const PROFILES = readProfiles(readFileSync(join(ROOT, "profiles.yaml"), "utf8"), "profiles.yaml");
const JUDGED = CHECKS.filter(({ fails }) => fails !== "");

test("there are checks of every subject, and no id is there twice", () => {
  expect(CHECKS.length).toBeGreaterThanOrEqual(150);
  expect(BENCHMARK_SUBJECTS.filter((subject) => !CHECKS.some((check) => check.subject === subject))).toEqual([]);
  expect(new Set(CHECKS.map(({ id }) => id)).size).toBe(CHECKS.length);
});

test.each(JUDGED)("$id finds its bad samples and passes its good ones", (check) => {
  expect(check.samples.bad.length * check.samples.good.length).toBeGreaterThan(0);
  for (const [outcome, samples] of [
    ["fail", check.samples.bad],
    ["pass", check.samples.good],
  ] as const) {
    for (const sample of samples) {
      const [judged] = judge([check], factsOfSample(check, sample));
      expect(judged?.outcome, `${JSON.stringify(sample)}: ${judged?.evidence}`).toBe(outcome);
      if (outcome === "fail")
        expect(judged?.places.map(({ evidence }) => evidence).join() || judged?.evidence).toMatch(/\S/);
    }
  }
});

test.each(JUDGED)("$id says nothing good of what nobody read", (check) => {
  const unread = Object.fromEntries(
    [
      "files",
      "sysctls",
      "mounts",
      "modules",
      "kernel-arguments",
      "vulnerabilities",
      "sockets",
      "processes",
      "packages",
      "probes",
    ].map((kind) => [kind, "refused"]),
  );
  const facts = factKindOf(check.subject) === "cluster" ? { cluster: {} } : { node: { ...NO_FACTS, unread } };
  if (factKindOf(check.subject) === "container") return;
  expect(judge([check], facts).map(({ outcome }) => outcome)).toEqual(["undetermined"]);
});

test.each(CHECKS)("$id tells which sections it covers and speaks of its own", (check) => {
  expect(Object.keys(check.references).length).toBeGreaterThan(0);
  expect(check.description).not.toBe(check.title);
});

test("what all checks together ask of a sensor is within what a sensor gathers", () => {
  const { files, sysctls, probes } = compileFactRequest(CHECKS);
  expect(files.length).toBeLessThan(400);
  expect(sysctls.length).toBeLessThan(400);
  expect(probes.length).toBeLessThan(32);
});

test("profiles choose checks that there are, from few to all", () => {
  const sizes = PROFILES.map((profile) => checksOf(profile, CHECKS).length);
  expect(Math.min(...sizes)).toBeGreaterThan(20);
  expect(Math.max(...sizes)).toBe(CHECKS.length);
  const ids = new Set(CHECKS.map(({ id }) => id));
  const named = PROFILES.flatMap(({ off, parameters }) => [...off, ...Object.keys(parameters)]);
  expect(named.filter((id) => !ids.has(id))).toEqual([]);
});

test("techniques name checks that there are", () => {
  const techniques = readTechniques(readFileSync(join(ROOT, "techniques.yaml"), "utf8"), "techniques.yaml");
  const ids = new Set(CHECKS.map(({ id }) => id));
  expect([...techniques.values()].flat().filter((id) => !ids.has(id))).toEqual([]);
  expect(techniques.size).toBeGreaterThan(20);
  expect(() => readTechniques("T1: [a]", "x")).toThrow(/no technique/);
});

test("lists of clusters are those that checks may ask for", () => {
  const used = new Set(CHECKS.map(({ each }) => each));
  expect(
    CLUSTER_LISTS.filter(
      (list) => !used.has(list) && !CHECKS.some(({ fails, applies }) => `${fails}${applies}`.includes(list)),
    ),
  ).toEqual([]);
});
