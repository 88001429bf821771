import type { AdvisorySubject, Cvss, EcosystemCatalog, FixStatus, Severity, VersionScheme } from "@bulwark/model";
import { severityOfScore } from "./cvss/cvss.ts";
import type { AdvisoryMatch, SubjectMatches } from "./database.ts";
import { AdvisoryError } from "./errors.ts";
import { type Flaw, type Hit, mergeFlaws } from "./flaws.ts";
import { priorityOf } from "./priority.ts";
import { compileRanges } from "./ranges.ts";
import { severityOfWord } from "./severity.ts";
import { type AffectedDetail, onlyFix, type RecordDetail, unpackAffected, unpackRanges } from "./store/detail.ts";
import type { AffectedRow, DatabaseReader } from "./store/reader.ts";

const MAX_REFERENCES = 5;
/** Subjects that are matched together: enough to share blocks, few enough to hold their records. */
const BATCH = 131_072;
/** Builds of an rpm module carry it in their release: `1.module_el8.9.0+3680+6b0d1b0c`. */
const MODULE_BUILD = /\.module[_+]/;

/** What the rows of a subject say, before any record is looked up. */
interface Judged {
  readonly subject: number;
  readonly scheme: VersionScheme;
  readonly inside: readonly {
    readonly location: number;
    readonly affected: AffectedDetail;
    readonly fixed: string;
    readonly range: string;
  }[];
  readonly undetermined: readonly { readonly location: number; readonly why: string }[];
}

/**
 * Matches subjects in three passes over all of them: rows, then the records that hold a version, then other records of the
 * flaws found. Each pass fetches what it needs in the order of the file, so that every block is unpacked once at most.
 */
export function matchSubjects(
  subjects: readonly AdvisorySubject[],
  reader: DatabaseReader,
  catalog: EcosystemCatalog,
): readonly SubjectMatches[] {
  const results: SubjectMatches[] = [];
  for (let start = 0; start < subjects.length; start += BATCH) {
    const batch = subjects.slice(start, start + BATCH);
    const rows = new Map<string, ReadonlyMap<string, readonly AffectedRow[]>>();
    for (const [ecosystem, of] of Map.groupBy(batch, (subject) => subject.ecosystem)) {
      rows.set(
        ecosystem,
        reader.affected(
          ecosystem,
          of.map(({ name }) => name),
        ),
      );
    }
    const judged = batch.map((subject, index) => {
      const known = rows.get(subject.ecosystem)?.get(subject.name) ?? [];
      return judgeSubject(subject, start + index, known, catalog);
    });
    for (const result of matchBatch(
      judged.filter((each) => each !== undefined),
      reader,
    ))
      results.push(result);
  }
  return results;
}

function matchBatch(judged: readonly Judged[], reader: DatabaseReader): readonly SubjectMatches[] {
  reader.load(
    judged.flatMap(({ inside, undetermined }) => [...inside, ...undetermined].map(({ location }) => location)),
  );
  const merged = judged.map((each) => ({ ...each, flaws: mergeFlaws(hitsOf(each, reader)) }));
  reader.loadPredictions(merged.flatMap(({ flaws }) => flaws.map(({ id }) => id)));
  const unrated = merged.flatMap(({ flaws }) => flaws.filter(({ hits }) => !isRated(hits)));
  reader.load(unrated.flatMap(({ id }) => reader.locationsOf(id)));
  const results = merged.map(({ subject, scheme, flaws, undetermined }) => ({
    subject,
    matches: flaws.map((flaw) => toMatch(flaw, reader, scheme)),
    undetermined: undetermined.map(({ location, why }) => ({
      advisory: reader.record(location)?.id ?? "a record",
      why,
    })),
  }));
  reader.unload();
  return results;
}

function judgeSubject(
  subject: AdvisorySubject,
  index: number,
  rows: readonly AffectedRow[],
  catalog: EcosystemCatalog,
): Judged | undefined {
  const scheme = rows.length === 0 ? undefined : catalog.schemeOf(subject.ecosystem);
  if (scheme === undefined) return undefined;
  const inside: Judged["inside"][number][] = [];
  const undetermined: Judged["undetermined"][number][] = [];
  const parsed = scheme.parse(subject.version);
  for (const { location, packed } of rows) {
    if (parsed !== undefined && isFixed(parsed, onlyFix(packed), scheme)) continue;
    const detail = unpackAffected(packed);
    if (!concernsModule(detail, subject)) continue;
    const verdict = judge(detail, subject.version, scheme);
    if (verdict.kind === "inside")
      inside.push({ location, affected: detail, fixed: verdict.fixed, range: verdict.range });
    else if (verdict.kind === "undetermined") undetermined.push({ location, why: verdict.why });
  }
  return { subject: index, scheme, inside, undetermined };
}

/** A row without its record means that the file is broken: to go on would hide a flaw. */
function recordAt(location: number, reader: DatabaseReader): RecordDetail {
  const record = reader.record(location);
  if (record !== undefined) return record;
  throw new AdvisoryError(
    "DATABASE_DAMAGED",
    "the advisory database lacks records its rows name",
    "delete it and run: bulwark db update",
  );
}

function hitsOf({ inside }: Judged, reader: DatabaseReader): readonly Hit[] {
  const hits: Hit[] = [];
  for (const { location, ...rest } of inside) {
    hits.push({ record: recordAt(location, reader), ...rest });
  }
  return hits;
}

/** Whether a version is at or above the only fix a row names. */
function isFixed(version: unknown, fix: string | undefined, scheme: VersionScheme): boolean {
  const fixed = fix === undefined ? undefined : scheme.parse(fix);
  return fixed !== undefined && scheme.compare(version, fixed) >= 0;
}

function judge(detail: AffectedDetail, version: string, scheme: VersionScheme) {
  const listed = detail.v?.includes(version) === true;
  if (detail.d === "x" && detail.r === undefined && detail.v === undefined) {
    return { kind: "inside", fixed: "", range: "all versions" } as const;
  }
  const verdict = compileRanges(unpackRanges(detail.r), scheme)(version);
  if (listed && verdict.kind !== "inside") return { kind: "inside", fixed: "", range: `version ${version}` } as const;
  // A list of versions alone is a plain comparison of texts: it needs no order.
  if (detail.r === undefined) return { kind: "outside" } as const;
  return verdict;
}

/** A fix made in a module says nothing about packages outside it, and the reverse. */
function concernsModule(detail: AffectedDetail, subject: AdvisorySubject): boolean {
  const isModular = subject.module !== undefined || MODULE_BUILD.test(subject.version);
  const fixes = (detail.r ?? []).flat().filter((event) => event.startsWith("f"));
  if (fixes.length > 0 && fixes.every((event) => MODULE_BUILD.test(event)) !== isModular) {
    if (isModular || fixes.some((event) => MODULE_BUILD.test(event))) return false;
  }
  return detail.m === undefined || subject.module === undefined || sameModule(detail.m, subject.module);
}

function sameModule(a: string, b: string): boolean {
  const name = (module: string) => module.split(":").slice(0, 2).join(":");
  return name(a) === name(b);
}

function toMatch(flaw: Flaw, reader: DatabaseReader, scheme: VersionScheme): AdvisoryMatch {
  const records = flaw.hits.map(({ record }) => record);
  const others = otherRecords(flaw, records, reader);
  const { severity, cvss } = rate(flaw.hits, others);
  const cve = flaw.id.startsWith("CVE-") ? flaw.id : undefined;
  const kev = cve === undefined ? undefined : reader.knownExploited(cve);
  const epss = cve === undefined ? undefined : reader.prediction(cve);
  const publicExploit = [...records, ...others].some(({ x }) => x === 1);
  const malicious = [flaw.id, ...flaw.aliases].some((name) => /^(?:[A-Z]+-)?MAL-/.test(name));
  const fixedVersion = highest(
    flaw.hits.map(({ fixed }) => fixed).filter((fixed) => fixed !== ""),
    scheme,
  );
  const rated: Severity = malicious ? "critical" : severity;
  const facts = { severity: rated, malicious, publicExploit, hasFix: fixedVersion !== "" };
  const exploit = { ...(kev === undefined ? {} : { kev }), ...(epss === undefined ? {} : { epss }) };
  return {
    id: flaw.id,
    aliases: flaw.aliases,
    advisories: records.map(({ id }) => id).sort(),
    severity: rated,
    title: titleOf(records, others),
    ...(cvss === undefined ? {} : { cvss }),
    fixedVersion,
    status: statusOf(flaw.hits, fixedVersion),
    range: [...new Set(flaw.hits.map(({ range }) => range))].join("; "),
    ...exploit,
    publicExploit,
    malicious,
    references: [...new Set(records.flatMap(({ r = [] }) => r))].slice(0, MAX_REFERENCES),
    priority: priorityOf({ ...facts, ...exploit }),
  };
}

/** Whether the records that hold the version say how bad the flaw is and what it is about. */
function isRated(hits: readonly Hit[]): boolean {
  const single = hits.filter(({ record: { u = [] } }) => u.length <= 1);
  return single.some(({ record: { cvss } }) => cvss !== undefined) && single.some(({ record: { t } }) => t !== "");
}

/** Distributions often rate nothing themselves; other records of the same flaw do. */
function otherRecords(flaw: Flaw, records: readonly RecordDetail[], reader: DatabaseReader): readonly RecordDetail[] {
  if (isRated(flaw.hits)) return [];
  const known = new Set(records.map(({ id }) => id));
  const others = reader.locationsOf(flaw.id).map((location) => reader.record(location));
  return others.filter((record) => record !== undefined).filter(({ id }) => !known.has(id));
}

/**
 * The packager's own rating of the package comes first, for it knows how the package is built; then a CVSS score of the
 * matching records, then their words, then what other records of the flaw say.
 */
function rate(hits: readonly Hit[], others: readonly RecordDetail[]): { severity: Severity; cvss: Cvss | undefined } {
  const records = hits.map(({ record }) => record);
  // A record of several flaws rates the worst of them: it says nothing about the others.
  const single = [...records, ...others].filter(({ u = [] }) => u.length <= 1);
  const cvss = [...hits.map(({ affected }) => affected.c), ...single.map((record) => record.cvss)].find(
    (found) => found !== undefined,
  );
  const words = [
    hits.map(({ affected }) => severityOfWord(affected.s ?? "")).find((word) => word !== undefined),
    cvss === undefined ? undefined : severityOfScore(cvss.score),
    ...[...single, ...records].map(({ s = "" }) => severityOfWord(s)),
  ];
  return { severity: words.find((word) => word !== undefined) ?? "unknown", cvss };
}

function titleOf(records: readonly RecordDetail[], others: readonly RecordDetail[]): string {
  const titleAmong = (list: readonly RecordDetail[]) =>
    list
      .filter(({ u = [] }) => u.length <= 1)
      .map(({ t }) => t)
      .find((t) => t !== "");
  return titleAmong(records) ?? titleAmong(others) ?? records.find(({ t }) => t !== "")?.t ?? "";
}

function statusOf(hits: readonly Hit[], fixedVersion: string): FixStatus {
  if (hits.some(({ affected }) => affected.d === "x")) return "not-affected";
  if (fixedVersion !== "") return "fixed";
  return hits.some(({ affected }) => affected.d === "n") ? "no-fix-planned" : "open";
}

/** Records may name different fixes; only the highest satisfies all of them. */
function highest(versions: readonly string[], scheme: VersionScheme): string {
  return versions.reduce((best, version) => {
    const [a, b] = [scheme.parse(best), scheme.parse(version)];
    return a === undefined || (b !== undefined && scheme.compare(a, b) < 0) ? version : best;
  }, versions[0] ?? "");
}
