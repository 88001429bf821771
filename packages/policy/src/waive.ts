import type { Finding, SuppressedFinding } from "@bulwark/model";
import { appliesTo, type PolicySubject } from "./evaluate.ts";
import { matchesGlob } from "./glob.ts";
import type { Policy, Waiver } from "./policy.ts";

/** Findings parted into those that count and those that something took out. */
export interface Parted {
  readonly findings: readonly Finding[];
  readonly suppressed: readonly SuppressedFinding[];
}

/**
 * Takes out the findings that a waiver of an applying policy covers. A waiver past its day covers nothing.
 *
 * @param today `YYYY-MM-DD`; a waiver holds through its `until`
 */
export function applyWaivers(
  findings: readonly Finding[],
  policies: readonly Policy[],
  image: PolicySubject,
  today: string,
): Parted {
  const waivers = policies
    .filter((policy) => appliesTo(policy, image))
    .flatMap((policy) =>
      policy.waivers.filter((waiver) => today <= waiver.until).map((waiver) => ({ policy, waiver })),
    );
  const kept: Finding[] = [];
  const suppressed: SuppressedFinding[] = [];
  for (const finding of findings) {
    const hit = waivers.find(({ waiver }) => covers(waiver, finding));
    if (hit === undefined) kept.push(finding);
    else suppressed.push(suppression(finding, hit.policy, hit.waiver));
  }
  return { findings: kept, suppressed };
}

function suppression(finding: Finding, policy: Policy, waiver: Waiver): SuppressedFinding {
  const approved = waiver.approvedBy === "" ? "" : `, approved by ${waiver.approvedBy}`;
  return { finding, by: "waiver", source: `${policy.file}${approved}`, reason: waiver.reason, until: waiver.until };
}

function covers(waiver: Waiver, finding: Finding): boolean {
  if (finding.id !== waiver.finding && finding.aliases?.includes(waiver.finding) !== true) return false;
  const { purl = "", name = "" } = finding.package ?? {};
  if (!matchesGlob(waiver.package, purl) && !matchesGlob(waiver.package, name)) return false;
  return matchesGlob(waiver.path, finding.path ?? "");
}
