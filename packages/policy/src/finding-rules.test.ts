import { expect, test } from "vitest";
import { judge } from "./evaluate.ts";
import { applyFindingRules } from "./finding-rules.ts";
import { readPolicy } from "./read-policy.ts";
import { finding, report } from "./testing/report.ts";

const policy = (fields: object) => readPolicy(JSON.stringify({ name: "test", ...fields }), "test.yaml");
const IMAGE = { reference: "registry.example/team/app:1", labels: { team: "payments", tier: "web" }, grade: "high" };
const root = finding({ id: "image-root-user", kind: "misconfiguration", severity: "medium" });
const off = { finding: "image-root-*", severity: "off", reason: "the host maps root away" };

test("a rule gives findings another severity, or takes them out with its reason", () => {
  const lowered = applyFindingRules([root], [policy({ findings: [{ finding: "image-*", severity: "low" }] })], IMAGE);
  expect(lowered).toEqual({ findings: [{ ...root, severity: "low" }], suppressed: [] });
  expect(applyFindingRules([root], [policy({ findings: [off] })], IMAGE)).toEqual({
    findings: [],
    suppressed: [{ finding: root, by: "policy", source: "test.yaml", reason: off.reason, until: "" }],
  });
});

test.each([
  [{ images: ["registry.example/team/*"] }, true],
  [{ images: ["registry.example/other/*"] }, false],
  [{ labels: { team: "pay*" } }, true],
  [{ labels: { team: "pay*", tier: "batch" } }, false],
  [{ labels: { owner: "*" } }, false],
  [{ labels: { constructor: "*" } }, false],
  [{ grades: ["critical", "high"] }, true],
  [{ grades: ["low"] }, false],
  [{ grades: ["high"], labels: { tier: "web" }, images: ["*"] }, true],
])("a policy for %j speaks of the image: %s", (selector, expected) => {
  const { suppressed } = applyFindingRules([root], [policy({ ...selector, findings: [off] })], IMAGE);
  expect(suppressed.length === 1).toBe(expected);
});

test("only findings of the rule's kind and path are meant, and the last rule that fits decides", () => {
  const secret = finding({ id: "generic-password", kind: "secret", severity: "high", path: "/app/test/fixture.yaml" });
  const rules = [
    { finding: "*", kind: "secret", severity: "critical" },
    { finding: "generic-*", kind: "secret", path: "/app/test/*", severity: "off", reason: "made up for tests" },
  ];
  const { findings, suppressed } = applyFindingRules(
    [secret, { ...secret, path: "/app/settings.yaml" }, root],
    [policy({ findings: rules })],
    IMAGE,
  );
  expect(findings.map(({ severity }) => severity)).toEqual(["critical", "medium"]);
  expect(suppressed).toHaveLength(1);
});

test("rules on verdicts hold for the images of their policy only", () => {
  const strict = policy({ grades: ["high"], rules: [{ id: "none", deny: "findings.size() > 0" }] });
  const of = (grade: string) =>
    judge({ ...report([root]), image: { ...report([]).image, grade } }, [strict], "2026-01-31");
  expect(of("high").passed).toBe(false);
  expect(of("low").passed).toBe(true);
});

test.each([
  [{ findings: [{ finding: "x", severity: "severe" }] }, "severity must be one of"],
  [{ findings: [{ finding: "x", severity: "off" }] }, 'needs "reason"'],
  [{ findings: [{ finding: "x", severity: "low", kind: "virus" }] }, "kind must be one of"],
  [{ findings: [{ severity: "low" }] }, 'needs "finding"'],
  [{ labels: ["a"], findings: [off] }, "labels must be a mapping"],
  [{ labels: { a: 5 }, findings: [off] }, 'label "a" needs a pattern'],
])("a policy that is wrong is refused: %j", (fields, message) => {
  expect(() => policy(fields)).toThrow(message);
});
