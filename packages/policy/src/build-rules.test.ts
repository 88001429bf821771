import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type PathBase, standingOnPath } from "./base-standing.ts";
import { assess, type BuildFacts, COUNT_NAMES, type CountName, readBuildRules } from "./build-rules.ts";

const SHIPPED = join(import.meta.dirname, "../../../content/policies/build-rules.yaml");
const shipped = readBuildRules(readFileSync(SHIPPED, "utf8"), SHIPPED);

const golden: PathBase = {
  ...{ chain: "sha256:a", layers: 1, reference: "registry.example/os:12", digest: "sha256:1", tags: ["12"] },
  ...{ host: "registry.example", golden: "published" },
};

function facts(path: readonly PathBase[], more: Partial<BuildFacts> = {}): BuildFacts {
  return {
    image: {
      ...{ reference: "registry.example/app:1", digest: "sha256:0", platform: "linux/amd64", sizeBytes: 1, layers: 2 },
      ...{ os: { id: "debian", version: "12" }, labels: {}, tags: ["1"], grade: "", complete: true, role: "leaf" },
    },
    counts: Object.fromEntries(COUNT_NAMES.map((name) => [name, 0])) as Record<CountName, number>,
    checks: [],
    packages: [],
    base: standingOnPath(path),
    today: "2026-01-31",
    ...more,
  };
}
const broken = (given: BuildFacts) => assess(given, [shipped]).violations.map(({ rule }) => rule);

test("an image on a golden base that breaks nothing passes", () => {
  expect(assess(facts([golden]), [shipped])).toEqual({ passed: true, violations: [] });
});

test.each([
  ["base-not-golden", [{ ...golden, golden: null }]],
  ["base-public", [{ ...golden, golden: null, host: "docker.io" }]],
  ["base-unknown", []],
  ["base-at-risk", [{ ...golden, golden: "at-risk" as const }]],
  ["base-deprecated", [{ ...golden, golden: "deprecated" as const }]],
  ["base-pinned", [{ ...golden, tags: ["latest"] }]],
])("what an image stands on can break %s", (rule, path) => {
  expect(broken(facts(path))).toEqual([rule]);
});

test("a revoked image counts however far below it lies, and whatever is golden above it", () => {
  const revoked = { ...golden, chain: "sha256:0", golden: "revoked" as const };
  expect(broken(facts([revoked, golden]))).toEqual(["base-revoked"]);
});

test("an older build of the same repository is no base", () => {
  const own = { ...golden, golden: null, isOwn: true, layers: 2 };
  expect(broken(facts([golden, own]))).toEqual([]);
  expect(broken(facts([golden, { ...own, isOwn: false }]))).toEqual(["base-not-golden"]);
});

test("a warning is told and does not keep an image from passing", () => {
  expect(assess(facts([golden], { checks: ["image-shell"] }), [shipped])).toMatchObject({
    passed: true,
    violations: [{ rule: "no-shell", level: "warn" }],
  });
});

test("a later file adds rules and takes others out", () => {
  const ours = readBuildRules(
    "name: ours\noff: [no-shell]\nrules:\n  - id: team\n    deny: '!(\"team\" in image.labels)'\n    message: name the team\n",
    "ours.yaml",
  );
  const { violations } = assess(facts([golden], { checks: ["image-shell"] }), [shipped, ours]);
  expect(violations.map(({ policy, rule }) => [policy, rule])).toEqual([["ours", "team"]]);
});

test.each([
  ["name: x\nrules: [{id: a, deny: image.sizeByte > 1, message: m}]", /No such key/],
  ["name: x\nrules: [{id: a, deny: imag.size > 1, message: m}]", /rule "a"/],
  ["name: x\nrules: [{id: a, deny: '1 + 1', message: m}]", /needs true or false/],
  ["name: x\nrules: [{id: a, deny: 'true', message: m, level: error}]", /one of deny, warn/],
  ["name: x\nrules: [{id: a, deny: 'image.reference.matches(\"(a\")', message: m}]", /missing closing/],
  ["name: x\nrules: [{id: a, deny: 'packages.all(p, packages. exists (q, p == q))', message: m}]", /more than once/],
  ["name: x", /neither/],
  ["rules: [{id: a, deny: 'true', message: m}, {id: a, deny: 'true', message: m}]", /two rules/],
  ["[", /not YAML/],
])("a file with a mistake is refused: %s", (text, message) => {
  expect(() => readBuildRules(text, "ours.yaml")).toThrow(message);
});

test("a rule that fails on an image counts as broken", () => {
  const ours = readBuildRules(
    "name: ours\nrules:\n  - id: label\n    deny: 'size(image.labels) > 0 && image.labels.team == \"a\"'\n    message: m\n",
    "ours.yaml",
  );
  const given = facts([golden]);
  const labelled = { ...given, image: { ...given.image, labels: { other: "b" } } };
  expect(assess(labelled, [ours])).toMatchObject({ passed: false, violations: [{ rule: "label" }] });
});
