import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mistakesIn } from "./mistakes.ts";
import { readAdmissionPolicy } from "./read-policy.ts";

const SHIPPED = join(import.meta.dirname, "../../../../content/policies/admission");

function mistakes(rule: string, more = "params: { high: 1 }"): readonly string[] {
  const text = `name: calm\n${more}\nrules:\n  - { id: r, on: image, deny: ${JSON.stringify(rule)}, message: "m" }\n`;
  return mistakesIn(readAdmissionPolicy(text, "calm.yaml"));
}

test("no policy that is shipped has a mistake", () => {
  for (const name of readdirSync(SHIPPED)) {
    const text = readFileSync(join(SHIPPED, name, "policy.yaml"), "utf8");
    expect(mistakesIn(readAdmissionPolicy(text, name)), name).toEqual([]);
  }
});

test.each([
  ["params.hgh > 1", 'rule "r": params has no "hgh"; there is high'],
  ["image.counts.fixableHi > 1", 'rule "r": image.counts has no "fixableHi"; there is critical, high, medium'],
  ["image.tagg == 'latest'", 'rule "r": image has no "tagg"'],
  ["cluster.labels.a == 'b'", 'rule "r": cluster has no "labels"; there is name, grade'],
  ["1 + 1", 'rule "r": deny gives int, and has to be true or false'],
])("%s is told before anything is judged by it", (rule, said) => {
  expect(mistakes(rule)).toEqual([expect.stringContaining(said)]);
});

test.each([
  "has(params.more) && params.?more.orValue(0) > 1",
  "image.labels.anything == 'x' && ns.labels['a'] == 'b'",
  "container.securityContext.privileged && object.anything.at.all == 1",
  "image.findings.exists(f, f.severity == 'high') && image.counts.high > params.high",
  "image.base.state == 'none' && exposed",
])("%s may be right", (rule) => {
  expect(mistakes(rule)).toEqual([]);
});

test("parameters that are only there where it is stricter count, kinds and operations that never come do not", () => {
  const stricter = "stricter: [{ grades: [gold], params: { low: 1 } }]";
  expect(mistakes("image.counts.low > params.low", stricter)).toEqual([]);
  const never = mistakes("exposed", "scope: { kinds: [Pods], operations: [DELETE] }");
  expect(never[0]).toContain('scope: kinds: "Pods" is never asked about; there are Pod, ');
  expect(never[1]).toContain('scope: operations: "DELETE" is never asked about; there are CREATE, UPDATE');
});
