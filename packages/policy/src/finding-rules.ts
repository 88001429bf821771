import type { Finding } from "@bulwark/model";
import { appliesTo, type PolicySubject } from "./evaluate.ts";
import { matchesGlob } from "./glob.ts";
import type { FindingRule, Policy } from "./policy.ts";
import type { Parted } from "./waive.ts";

/**
 * Sees findings as the policies of an image want them seen: with another severity, or not at all. The last rule that fits
 * a finding decides, so that a policy for some images refines one for all.
 *
 * @example applyFindingRules(findings, [readPolicy(text, "gate.yaml")], report.image).findings;
 */
export function applyFindingRules(
  findings: readonly Finding[],
  policies: readonly Policy[],
  image: PolicySubject,
): Parted {
  const rules = policies
    .filter((policy) => appliesTo(policy, image))
    .flatMap((policy) => policy.findings.map((rule) => ({ policy, rule })));
  const kept: Finding[] = [];
  const suppressed: Parted["suppressed"][number][] = [];
  for (const finding of findings) {
    const last = rules.findLast(({ rule }) => fits(rule, finding));
    if (last === undefined) kept.push(finding);
    else if (last.rule.severity !== "off") kept.push({ ...finding, severity: last.rule.severity });
    else {
      const { policy, rule } = last;
      suppressed.push({ finding, by: "policy", source: policy.file, reason: rule.reason, until: "" });
    }
  }
  return { findings: kept, suppressed };
}

function fits(rule: FindingRule, { id, kind, path = "" }: Finding): boolean {
  return (rule.kind === "" || rule.kind === kind) && matchesGlob(rule.finding, id) && matchesGlob(rule.path, path);
}
