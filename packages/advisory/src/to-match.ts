import type { AdvisoryMatch, Cvss, FixStatus, Severity, VersionScheme } from "@bulwark/model";
import { severityOfScore } from "./cvss/cvss.ts";
import type { Flaw, Hit } from "./flaws.ts";
import { priorityOf } from "./priority.ts";
import { compileRanges } from "./ranges.ts";
import { severityOfWord } from "./severity.ts";
import { type RecordDetail, unpackRanges } from "./store/detail.ts";
import type { DatabaseReader } from "./store/reader.ts";

const MAX_REFERENCES = 5;
/** Ranges that follow each other without a gap; some records have one for every patch release. */
const MAX_FIX_STEPS = 1_000;

/** A flaw as reports show it. The predictions and other records of unrated flaws must have been loaded. */
export function toMatch(flaw: Flaw, reader: DatabaseReader, scheme: VersionScheme): AdvisoryMatch {
  const records = flaw.hits.map(({ record }) => record);
  const others = otherRecords(flaw, records, reader);
  const { severity, cvss } = rate(flaw.hits, others);
  const cve = flaw.id.startsWith("CVE-") ? flaw.id : undefined;
  const kev = cve === undefined ? undefined : reader.knownExploited(cve);
  const epss = cve === undefined ? undefined : reader.prediction(cve);
  const publicExploit = records.some(isExploited) || others.some(isExploited);
  const malicious = isMalicious(flaw.id) || flaw.aliases.some(isMalicious);
  const fixedVersion = fixOf(flaw.hits, scheme);
  const rated: Severity = malicious ? "critical" : severity;
  const facts = { severity: rated, malicious, publicExploit, hasFix: fixedVersion !== "" };
  const exploit = { ...(kev === undefined ? {} : { kev }), ...(epss === undefined ? {} : { epss }) };
  return {
    id: flaw.id,
    aliases: flaw.aliases,
    advisories: distinct(records.map(({ id }) => id)).toSorted(),
    severity: rated,
    title: titleOf(records, others),
    ...(cvss === undefined ? {} : { cvss }),
    fixedVersion,
    status: statusOf(flaw.hits, fixedVersion),
    range: distinct(flaw.hits.map(({ range }) => range)).join("; "),
    ...exploit,
    publicExploit,
    malicious,
    references: distinct(records.length === 1 ? (records[0]?.r ?? []) : records.flatMap(({ r = [] }) => r)).slice(
      0,
      MAX_REFERENCES,
    ),
    priority: priorityOf({ ...facts, ...exploit }),
  };
}

function isExploited({ x }: RecordDetail): boolean {
  return x === 1;
}

function isMalicious(name: string): boolean {
  return name.includes("MAL-") && /^(?:[A-Z]+-)?MAL-/.test(name);
}

/** Lists are short here, most of them of one: a set costs more than it saves. */
function distinct(values: readonly string[]): readonly string[] {
  return values.length <= 1 ? values : values.filter((value, at) => values.indexOf(value) === at);
}

/** Whether the records that hold the version say how bad the flaw is and what it is about. */
export function isRated(hits: readonly Hit[]): boolean {
  let scored = false;
  let titled = false;
  for (const { record } of hits) {
    if ((record.u?.length ?? 0) > 1) continue;
    scored ||= record.cvss !== undefined;
    titled ||= record.t !== "";
  }
  return scored && titled;
}

/** Distributions often rate nothing themselves; other records of the same flaw do. */
function otherRecords(flaw: Flaw, records: readonly RecordDetail[], reader: DatabaseReader): readonly RecordDetail[] {
  if (isRated(flaw.hits)) return [];
  const others: RecordDetail[] = [];
  for (const location of reader.locationsOf(flaw.id)) {
    const record = reader.record(location);
    if (record !== undefined && !records.includes(record)) others.push(record);
  }
  return others;
}

/**
 * The packager's own rating of the package comes first, for it knows how the package is built; then a CVSS score of the
 * matching records, then their words, then what other records of the flaw say.
 */
function rate(hits: readonly Hit[], others: readonly RecordDetail[]): { severity: Severity; cvss: Cvss | undefined } {
  // A record of several flaws rates the worst of them: it says nothing about the others.
  const single: RecordDetail[] = [];
  for (const { record } of hits) if (isOfOneFlaw(record)) single.push(record);
  for (const record of others) if (isOfOneFlaw(record)) single.push(record);
  const cvss =
    hits.find(({ affected }) => affected.c !== undefined)?.affected.c ??
    single.find((record) => record.cvss !== undefined)?.cvss;
  const severity =
    firstWord(hits.map(({ affected }) => affected.s)) ??
    (cvss === undefined ? undefined : severityOfScore(cvss.score)) ??
    firstWord(single.map(({ s }) => s)) ??
    firstWord(hits.map(({ record }) => record.s));
  return { severity: severity ?? "unknown", cvss };
}

function isOfOneFlaw({ u }: RecordDetail): boolean {
  return u === undefined || u.length <= 1;
}

function firstWord(words: readonly (string | undefined)[]): Severity | undefined {
  for (const word of words) {
    const severity = word === undefined ? undefined : severityOfWord(word);
    if (severity !== undefined) return severity;
  }
  return undefined;
}

function titleOf(records: readonly RecordDetail[], others: readonly RecordDetail[]): string {
  const isTitle = (record: RecordDetail) => record.t !== "" && isOfOneFlaw(record);
  return (records.find(isTitle) ?? others.find(isTitle) ?? records.find(({ t }) => t !== ""))?.t ?? "";
}

function statusOf(hits: readonly Hit[], fixedVersion: string): FixStatus {
  if (hits.some(({ affected }) => affected.d === "x")) return "not-affected";
  if (fixedVersion !== "") return "fixed";
  return hits.some(({ affected }) => affected.d === "n") ? "no-fix-planned" : "open";
}

/**
 * The version to upgrade to. Where a range begins at the very version that ends another (8.5.0 to 8.5.1, 8.5.1 to 8.5.2),
 * the way goes on from fix to fix; empty when it ends within a range that has none.
 */
function fixOf(hits: readonly Hit[], scheme: VersionScheme): string {
  const [only] = hits;
  if (hits.length === 1 && only !== undefined && !mayGoOn(only)) return only.fixed;
  const fixable = hits.filter(({ fixed }) => fixed !== "");
  let fix = highest(
    fixable.map(({ fixed }) => fixed),
    scheme,
  );
  const chained = fixable.filter(mayGoOn);
  const evaluators = chained.map(({ affected }) => compileRanges(unpackRanges(affected.r), scheme));
  for (let steps = 0; steps < MAX_FIX_STEPS; steps++) {
    const inside = evaluators.map((evaluate) => evaluate(fix)).filter((verdict) => verdict.kind === "inside");
    if (inside.length === 0) return fix;
    if (inside.some(({ fixed }) => fixed === "")) return "";
    fix = highest(
      inside.map(({ fixed }) => fixed),
      scheme,
    );
  }
  return fix;
}

/** Whether a fix may lie within another range of the same row. */
function mayGoOn({ affected: { r = [] } }: Hit): boolean {
  return r.length > 1 || (r[0]?.length ?? 0) > 2;
}

/** Records may name different fixes; only the highest satisfies all of them. */
function highest(versions: readonly string[], scheme: VersionScheme): string {
  if (versions.length <= 1) return versions[0] ?? "";
  return versions.reduce((best, version) => {
    const [a, b] = [scheme.parse(best), scheme.parse(version)];
    return a === undefined || (b !== undefined && scheme.compare(a, b) < 0) ? version : best;
  }, versions[0] ?? "");
}
