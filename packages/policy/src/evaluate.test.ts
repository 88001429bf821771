import { expect, test } from "vitest";
import { judge } from "./evaluate.ts";
import { readPolicy } from "./read-policy.ts";
import { finding, report } from "./testing/report.ts";

const TODAY = "2026-01-31";

function policy(deny: string, extra = "") {
  return readPolicy(
    `name: gate\n${extra}rules:\n  - id: rule\n    deny: '${deny}'\n    message: refused\n`,
    "gate.yaml",
  );
}

test("a rule that is true for a finding is a violation with its policy, id and message", () => {
  const gate = policy('findings.exists(f, f.severity == "critical" && f.fixedVersion != "")');
  expect(judge(report([finding()]), [gate], TODAY)).toEqual({
    passed: false,
    violations: [{ policy: "gate", rule: "rule", message: "refused" }],
  });
  expect(judge(report([finding({ severity: "low" })]), [gate], TODAY).passed).toBe(true);
  expect(judge(report([]), [gate], TODAY).passed).toBe(true);
});

test.each([
  ["absent fixedVersion", 'findings.exists(f, f.fixedVersion != "")', finding({ fixedVersion: "" })],
  ["absent cvss", "findings.exists(f, f.cvss.score >= 9)", finding()],
  ["absent kev", "findings.exists(f, f.kev)", finding()],
  ["absent epss", "findings.exists(f, f.epss.score > 0.1)", finding()],
])("a rule may speak of a field that a finding lacks: %s", (_what, deny, subject) => {
  expect(judge(report([subject]), [policy(deny)], TODAY).passed).toBe(true);
});

test("a rule on known exploitation refuses what is in the catalogue", () => {
  const known = finding({ kev: { added: "2021-12-10", due: "2021-12-24", ransomware: true } });
  expect(judge(report([known]), [policy("findings.exists(f, f.kev)")], TODAY).passed).toBe(false);
});

test("a database's age and an incomplete report can be refused", () => {
  const rule = policy("!complete || database.ageDays > 7");
  expect(judge({ ...report([]), complete: false }, [rule], "2026-01-02").passed).toBe(false);
  expect(judge(report([]), [rule], "2026-01-02").passed).toBe(true);
  expect(judge(report([]), [rule], TODAY).passed).toBe(false);
});

test("a policy for other images is not asked", () => {
  const gate = policy("true", "images: ['registry.example/prod/*']\n");
  expect(judge(report([], "registry.example/dev/app:1"), [gate], TODAY).passed).toBe(true);
  expect(judge(report([], "registry.example/prod/app:1"), [gate], TODAY).passed).toBe(false);
});

test("a rule that cannot be evaluated refuses to judge instead of letting the image pass", () => {
  const typo = policy("findings.exists(f, f.severty == 1)");
  expect(() => judge(report([finding()]), [typo], TODAY)).toThrow(
    /rule "rule" cannot be evaluated: No such key: severty/,
  );
});
