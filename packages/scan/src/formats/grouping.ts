import type { Finding, Origin } from "@bulwark/model";
import { severityRank } from "@bulwark/model";

/** Findings that one step fixes: the same package in the same layer, to the highest fixed version among them. */
export interface FixGroup {
  readonly origin: Origin;
  readonly layer: number;
  /** Name of the package; for findings without one the path, or words for the image's configuration. */
  readonly name: string;
  readonly version: string;
  readonly path: string;
  /** Worst first. */
  readonly findings: readonly Finding[];
}

/** Groups findings by what has to be changed, worst group first; own layers after the base within the same severity. */
export function groupByFix(findings: readonly Finding[]): readonly FixGroup[] {
  const groups = Map.groupBy(findings, (finding) => {
    const { name, version, path } = subjectOf(finding);
    return JSON.stringify([finding.origin, finding.layer, name, version, path]);
  });
  return [...groups.values()].map(toGroup).sort(compareGroups);
}

function toGroup(findings: readonly Finding[]): FixGroup {
  const first = findings[0] as Finding;
  const worstFirst = findings.toSorted((a, b) => severityRank(a.severity) - severityRank(b.severity));
  return { origin: first.origin, layer: first.layer, ...subjectOf(first), findings: worstFirst };
}

/** What a finding is about: a package at a path, a file, or the image's own configuration. */
function subjectOf(finding: Finding): Pick<FixGroup, "name" | "version" | "path"> {
  const { path = "", evidence } = finding;
  if (finding.package !== undefined) return { name: finding.package.name, version: finding.package.version, path };
  if (evidence?.foundBy === "image-config" || path === "")
    return { name: "image configuration", version: "", path: "" };
  return { name: path, version: "", path: "" };
}

function compareGroups(a: FixGroup, b: FixGroup): number {
  const worst = ({ findings }: FixGroup) => severityRank(findings[0]?.severity ?? "unknown");
  const urgency = ({ findings }: FixGroup) =>
    findings.reduce((highest, { evidence }) => Math.max(highest, evidence?.priority?.score ?? 0), 0);
  return worst(a) - worst(b) || urgency(b) - urgency(a) || (a.name < b.name ? -1 : 1);
}
