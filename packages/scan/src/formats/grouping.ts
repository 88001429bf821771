import type { Finding, Origin } from "@bulwark/model";
import { severityRank } from "@bulwark/model";

/** Findings that one step fixes: the same package in the same layer, to the highest fixed version among them. */
export interface FixGroup {
  readonly origin: Origin;
  readonly layer: number;
  /** Name of the package, or the path for findings without one. */
  readonly name: string;
  readonly version: string;
  readonly path: string;
  /** Worst first. */
  readonly findings: readonly Finding[];
}

/** Groups findings by what has to be changed, worst group first; own layers after the base within the same severity. */
export function groupByFix(findings: readonly Finding[]): readonly FixGroup[] {
  const groups = Map.groupBy(findings, (finding) => {
    const { name = finding.path ?? "", version = "" } = finding.package ?? {};
    return JSON.stringify([finding.origin, finding.layer, name, version, finding.path ?? ""]);
  });
  return [...groups.values()].map(toGroup).sort(compareGroups);
}

function toGroup(findings: readonly Finding[]): FixGroup {
  const first = findings[0] as Finding;
  const { name = first.path ?? "", version = "" } = first.package ?? {};
  return { origin: first.origin, layer: first.layer, name, version, path: first.path ?? "", findings };
}

function compareGroups(a: FixGroup, b: FixGroup): number {
  const worst = ({ findings }: FixGroup) => severityRank(findings[0]?.severity ?? "unknown");
  const urgency = ({ findings }: FixGroup) =>
    findings.reduce((highest, { evidence }) => Math.max(highest, evidence?.priority?.score ?? 0), 0);
  return worst(a) - worst(b) || urgency(b) - urgency(a) || (a.name < b.name ? -1 : 1);
}
