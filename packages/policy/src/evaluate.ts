import type { Cvss, Finding, Image, ScanReport, SuppressedFinding, Verdict, Violation } from "@bulwark/model";
import { compileBounded } from "./bounded.ts";
import { policyEnvironment } from "./environment.ts";
import { PolicyError } from "./errors.ts";
import { matchesGlob } from "./glob.ts";
import type { Policy } from "./policy.ts";

const DAY_MS = 86_400_000;

/** A report before its verdict. */
export type Judgeable = Omit<ScanReport, "verdict">;

/**
 * Judges a report by all policies that apply to its image. A rule that cannot be evaluated refuses to judge rather than
 * letting the image pass.
 *
 * @param today `YYYY-MM-DD`
 * @throws PolicyError `POLICY_FAILED` naming the policy and the rule
 * @example judge(report, [readPolicy(text, "gate.yaml")], "2026-01-31").passed;
 */
export function judge(report: Judgeable, policies: readonly Policy[], today: string): Verdict {
  const facts = factsOf(report, today);
  const violations = policies
    .filter((policy) => appliesTo(policy, report.image))
    .flatMap((policy) => violationsOf(policy, facts));
  return { passed: violations.length === 0, violations };
}

/** What tells whether a policy speaks of an image. */
export type PolicySubject = Pick<Image, "reference" | "labels" | "grade">;

/** Whether the policy speaks of the image: by its name, its labels and its business grade, as far as the policy asks. */
export function appliesTo(policy: Policy, { reference, labels = {}, grade = "" }: PolicySubject): boolean {
  if (policy.images.length > 0 && !policy.images.some((pattern) => matchesGlob(pattern, reference))) return false;
  if (policy.grades.length > 0 && !policy.grades.includes(grade)) return false;
  return Object.entries(policy.labels).every(
    ([name, pattern]) => Object.hasOwn(labels, name) && matchesGlob(pattern, labels[name] ?? ""),
  );
}

function violationsOf(policy: Policy, facts: Readonly<Record<string, unknown>>): Violation[] {
  const violations: Violation[] = [];
  for (const rule of policy.rules) {
    if (denies(policy, rule.id, rule.deny, facts)) {
      violations.push({ policy: policy.name, rule: rule.id, message: rule.message });
    }
  }
  return violations;
}

function denies(policy: Policy, id: string, expression: string, facts: Readonly<Record<string, unknown>>): boolean {
  let value: unknown;
  try {
    // The file is of whoever scans: its steps are not counted, but no pattern may take for ever.
    value = compileBounded(policyEnvironment(), expression, Number.POSITIVE_INFINITY)(facts);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n", 1)[0] : String(cause);
    throw new PolicyError(
      "POLICY_FAILED",
      `policy ${policy.file}: rule "${id}" cannot be evaluated: ${why}`,
      "guard optional fields with has(), or correct the name",
      cause,
    );
  }
  if (typeof value === "boolean") return value;
  throw new PolicyError(
    "POLICY_FAILED",
    `policy ${policy.file}: rule "${id}" gave ${String(value)}, not true or false`,
  );
}

/** The report as rules see it: every field of a finding is there, so that a rule need not guard what is usual. */
function factsOf(report: Judgeable, today: string): Readonly<Record<string, unknown>> {
  const database = report.database ?? { built: "", records: 0, seedOnly: false };
  const built = Date.parse(database.built);
  return {
    image: { labels: {}, grade: "", ...report.image, os: report.image.os ?? { id: "", versionId: "", name: "" } },
    packages: report.packages,
    findings: report.findings.map(findingFacts),
    suppressed: report.suppressed.map(suppressedFacts),
    summary: report.summary,
    problems: report.problems,
    complete: report.complete,
    database: { ...database, ageDays: Number.isNaN(built) ? 0 : Math.floor((Date.parse(today) - built) / DAY_MS) },
    today,
  };
}

const NO_CVSS: Pick<Cvss, "vector" | "score"> & { readonly version: string } = { version: "", vector: "", score: 0 };

function findingFacts(finding: Finding): Readonly<Record<string, unknown>> {
  return {
    ...finding,
    package: finding.package ?? { purl: "", name: "", version: "" },
    fixedVersion: finding.fixedVersion ?? "",
    status: finding.status ?? "",
    path: finding.path ?? "",
    line: finding.line ?? 0,
    aliases: finding.aliases ?? [],
    kev: finding.kev !== undefined,
    epss: finding.epss ?? { score: 0, percentile: 0 },
    cvss: finding.cvss ?? NO_CVSS,
    priority: finding.evidence?.priority?.score ?? 0,
  };
}

function suppressedFacts(entry: SuppressedFinding): Readonly<Record<string, unknown>> {
  return { ...entry, finding: findingFacts(entry.finding) };
}
