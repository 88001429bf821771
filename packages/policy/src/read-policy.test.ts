import { expect, test } from "vitest";
import { readPolicy } from "./read-policy.ts";

const RULE = "rules:\n  - id: a\n    deny: 'findings.size() > 0'\n    message: none\n";

test("a policy file gives its rules, images and waivers", () => {
  const text = `name: gate\nimages: ["x/*"]\n${RULE}waivers:\n  - finding: CVE-1\n    reason: not reachable\n    until: 2026-12-31\n`;
  expect(readPolicy(text, "gate.yaml")).toEqual({
    name: "gate",
    file: "gate.yaml",
    images: ["x/*"],
    labels: {},
    grades: [],
    findings: [],
    rules: [{ id: "a", deny: "findings.size() > 0", message: "none" }],
    waivers: [
      { finding: "CVE-1", package: "*", path: "*", reason: "not reachable", until: "2026-12-31", approvedBy: "" },
    ],
  });
});

test.each([
  ["no YAML", "{", /is not YAML/],
  ["not a mapping", "- a", /must be a mapping/],
  ["without a name", RULE, /needs "name"/],
  ["nothing in it", "name: x", /neither rules nor waivers/],
  ["unknown key", `name: x\nrule: []\n${RULE}`, /unknown key "rule"/],
  ["broken expression", "name: x\nrules: [{id: a, deny: 'findings.exists(f'}]", /rule "a": Expected RPAREN/],
  ["unknown variable", "name: x\nrules: [{id: a, deny: 'finding.size() > 0'}]", /Unknown variable: finding/],
  ["no truth value", "name: x\nrules: [{id: a, deny: 'findings.size()'}]", /gives int/],
  ["same id twice", "name: x\nrules: [{id: a, deny: 'true'}, {id: a, deny: 'true'}]", /two rules have the id "a"/],
  ["a waiver without end", "name: x\nwaivers: [{finding: CVE-1, reason: r}]", /needs "until"/],
  ["a waiver until no day", "name: x\nwaivers: [{finding: CVE-1, reason: r, until: '2026-13-01'}]", /must be a day/],
  ["a waiver until a day no month has", "name: x\nwaivers: [{finding: A, reason: r, until: '2026-02-31'}]", /be a day/],
  ["an alias bomb", bomb(), /is not YAML/],
])("a policy with %s is refused with the file and the place", (_what, text, message) => {
  expect(() => readPolicy(text, "gate.yaml")).toThrow(message);
  expect(() => readPolicy(text, "gate.yaml")).toThrow(/gate\.yaml/);
});

function bomb(): string {
  const lines = ["a0: &a0 [x]"];
  for (let level = 1; level < 30; level++) lines.push(`a${level}: &a${level} [*a${level - 1}, *a${level - 1}]`);
  return lines.join("\n");
}
