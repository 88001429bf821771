import type { AdvisoryDatabase } from "@bulwark/advisory";
import { subjectsOf } from "@bulwark/ecosystems";
import type { AdvisoryMatch, AdvisorySubject, Finding, Image, OperatingSystem, Problem } from "@bulwark/model";
import { severityRank } from "@bulwark/model";
import { adviceFor } from "./advice.ts";
import { compareText, type FoundPackage } from "./found-package.ts";

/** Version of the way findings are made of matches; part of every finding's evidence. */
const MATCHER_VERSION = "1";
/** A list of packages or advisories that could not be judged is cut to this many names; the count is always told. */
const NAMES_SHOWN = 5;

export interface VulnerabilityResult {
  readonly findings: readonly Finding[];
  readonly problems: readonly Problem[];
}

interface Subject extends AdvisorySubject {
  readonly packages: FoundPackage[];
}

/**
 * Matches the packages of an image against the advisory database. Binaries of one source package, and copies of one
 * package in one layer, share a finding, so that one flaw is one finding.
 */
export function findVulnerabilities(
  packages: readonly FoundPackage[],
  image: Image,
  database: AdvisoryDatabase,
): VulnerabilityResult {
  const undetermined = new Map<string, FoundPackage[]>();
  const subjects = collectSubjects(packages, image.os, undetermined);
  noteUncovered(subjects, database, undetermined);
  const findings: Finding[] = [];
  const problems: Problem[] = [];
  for (const result of database.match(subjects)) {
    const subject = subjects[result.subject];
    if (subject === undefined) continue;
    for (const match of result.matches) {
      if (match.status === "not-affected") continue;
      for (const group of groupByLayer(subject.packages)) findings.push(toFinding(match, subject, group, image));
    }
    for (const [why, of] of Map.groupBy(result.undetermined, (each) => each.why)) {
      problems.push(
        undeterminedProblem(
          subject,
          of.map(({ advisory }) => advisory),
          why,
        ),
      );
    }
  }
  return { findings: sortFindings(findings), problems: [...problems, ...summarize(undetermined)] };
}

function collectSubjects(
  packages: readonly FoundPackage[],
  os: OperatingSystem | null,
  undetermined: Map<string, FoundPackage[]>,
): readonly Subject[] {
  const subjects = new Map<string, Subject>();
  for (const found of packages) {
    const result = subjectsOf(found.fact, os ?? undefined);
    if ("undetermined" in result) {
      noteUndetermined(undetermined, result.undetermined, found);
      continue;
    }
    for (const subject of result) {
      const key = `${subject.ecosystem}\0${subject.name}\0${subject.version}\0${subject.module ?? ""}`;
      const known = subjects.get(key);
      if (known === undefined) subjects.set(key, { ...subject, packages: [found] });
      else known.packages.push(found);
    }
  }
  return [...subjects.values()];
}

/** A vendor may spread one release over several products: a package is judged when advisories know any of them. */
function noteUncovered(
  subjects: readonly Subject[],
  database: AdvisoryDatabase,
  undetermined: Map<string, FoundPackage[]>,
): void {
  const known = new Set(database.status().ecosystems.map(({ ecosystem }) => ecosystem));
  const settled = new Set<FoundPackage>();
  for (const subject of subjects) {
    if (known.has(subject.ecosystem)) for (const found of subject.packages) settled.add(found);
  }
  for (const { ecosystem, packages } of subjects) {
    for (const found of packages) {
      if (settled.has(found)) continue;
      settled.add(found);
      noteUndetermined(undetermined, `the advisory database holds nothing about ${ecosystem}`, found);
    }
  }
}

function noteUndetermined(undetermined: Map<string, FoundPackage[]>, why: string, found: FoundPackage): void {
  const list = undetermined.get(why);
  if (list === undefined) undetermined.set(why, [found]);
  else list.push(found);
}

function summarize(undetermined: ReadonlyMap<string, readonly FoundPackage[]>): Problem[] {
  return [...undetermined].map(([why, packages]) => {
    const names = [...new Set(packages.map(({ name }) => name))];
    const layer = packages.reduce((lowest, found) => Math.min(lowest, found.layer), Number.POSITIVE_INFINITY);
    return {
      path: packages[0]?.path ?? "",
      layer,
      what: `${names.length} ${names.length === 1 ? "package" : "packages"} not judged: ${why} (${firstOf(names)})`,
    };
  });
}

/** A list for a sentence: the first few, and how many more there are. */
function firstOf(names: readonly string[]): string {
  const rest = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : "";
  return `${names.slice(0, NAMES_SHOWN).join(", ")}${rest}`;
}

/** A version that is none (a branch of Composer) leaves every advisory of its package open: one problem says so. */
function undeterminedProblem(subject: Subject, advisories: readonly string[], why: string): Problem {
  const first = subject.packages[0];
  const what = `${subject.name} ${subject.version}: ${firstOf(advisories)} could not be judged: ${why}`;
  return { path: first?.path ?? "", layer: first?.layer ?? -1, what };
}

function groupByLayer(packages: readonly FoundPackage[]): readonly (readonly FoundPackage[])[] {
  return [...Map.groupBy(packages, ({ layer }) => layer).values()];
}

function toFinding(match: AdvisoryMatch, subject: Subject, group: readonly FoundPackage[], image: Image): Finding {
  const shown = representative(group, subject.name);
  const origin = image.layers[shown.layer]?.origin ?? "own";
  const names = [...new Set(group.map(({ name }) => name))].sort(compareText);
  const paths = [...new Set(group.map(({ path }) => path))].filter((path) => path !== shown.path).sort(compareText);
  return {
    kind: match.malicious ? "malware" : "vulnerability",
    id: match.id,
    severity: match.severity,
    title: match.title,
    package: { purl: shown.purl, name: shown.name, version: shown.version },
    fixedVersion: match.fixedVersion,
    status: match.status,
    path: shown.path,
    layer: shown.layer,
    origin,
    ...(match.kev === undefined ? {} : { kev: match.kev }),
    ...(match.epss === undefined ? {} : { epss: match.epss }),
    ...(match.cvss === undefined ? {} : { cvss: match.cvss }),
    aliases: match.aliases,
    evidence: {
      foundBy: "advisory",
      version: MATCHER_VERSION,
      advisories: match.advisories,
      range: match.range,
      ...(names.length > 1 ? { packages: names } : {}),
      ...(paths.length > 0 ? { paths } : {}),
      priority: match.priority,
      references: match.references,
    },
    advice: adviceFor(match, shown, subject, image),
  };
}

/** The package that stands for the group: what is installed before what is only locked, the source's namesake first. */
function representative(group: readonly FoundPackage[], sourceName: string): FoundPackage {
  const rank = ({ fact }: FoundPackage) =>
    (fact.evidence === "locked" ? 2 : 0) + (fact.name === sourceName || fact.source === undefined ? 0 : 1);
  return group.reduce((best, other) => (rank(other) < rank(best) ? other : best));
}

/** Most urgent first: by severity, then priority, then name, so that the order is the same every time. */
function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  const urgency = (finding: Finding) => finding.evidence?.priority?.score ?? 0;
  return findings.toSorted(
    (a, b) =>
      severityRank(a.severity) - severityRank(b.severity) ||
      urgency(b) - urgency(a) ||
      compareText(a.package?.name ?? "", b.package?.name ?? "") ||
      compareText(a.id, b.id) ||
      a.layer - b.layer ||
      compareText(a.path ?? "", b.path ?? ""),
  );
}
