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
/** Ranges that follow each other without a gap; some records have one for every patch release. */
const MAX_FIX_STEPS = 1_000;
/** Subjects that are matched together: enough to share blocks, few enough to hold their records. */
const BATCH = 131_072;
/** Parsed versions that are kept of one scheme while a list is matched. */
const MAX_REMEMBERED = 65_536;
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
  const remembering = rememberParsed();
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
    const judged: Judged[] = [];
    batch.forEach((subject, index) => {
      const known = rows.get(subject.ecosystem)?.get(subject.name);
      const scheme = known === undefined ? undefined : catalog.schemeOf(subject.ecosystem);
      if (known === undefined || scheme === undefined) return;
      judged.push(judgeSubject(subject, start + index, known, remembering(scheme)));
    });
    for (const result of matchBatch(judged, reader)) results.push(result);
  }
  return results;
}

function matchBatch(judged: readonly Judged[], reader: DatabaseReader): readonly SubjectMatches[] {
  reader.load(
    judged.flatMap(({ inside, undetermined }) => [...inside, ...undetermined].map(({ location }) => location)),
  );
  const merged: (Judged & { readonly flaws: readonly Flaw[] })[] = [];
  const found: string[] = [];
  const unrated: string[] = [];
  for (const each of judged) {
    const flaws = mergeFlaws(hitsOf(each, reader));
    merged.push({ ...each, flaws });
    for (const { id, hits } of flaws) {
      found.push(id);
      if (!isRated(hits)) unrated.push(id);
    }
  }
  reader.loadPredictions(found);
  reader.loadLocations(unrated);
  reader.load(unrated.flatMap((id) => reader.locationsOf(id)));
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
  scheme: VersionScheme,
): Judged {
  const inside: Judged["inside"][number][] = [];
  const undetermined: Judged["undetermined"][number][] = [];
  const parsed = scheme.parse(subject.version);
  const isModular = subject.module !== undefined || MODULE_BUILD.test(subject.version);
  for (const { location, packed } of rows) {
    const fix = parsed === undefined ? undefined : onlyFix(packed);
    const below = fix === undefined ? undefined : isBelow(parsed, fix, scheme);
    if (below === false) continue;
    const affected = unpackAffected(packed);
    if (!concernsModule(affected, subject.module, isModular)) continue;
    if (fix !== undefined && below === true) {
      inside.push({ location, affected, fixed: fix, range: `fixed ${fix}` });
      continue;
    }
    const verdict = judge(affected, subject.version, scheme);
    if (verdict.kind === "inside") inside.push({ location, affected, fixed: verdict.fixed, range: verdict.range });
    else if (verdict.kind === "undetermined") undetermined.push({ location, why: verdict.why });
  }
  return { subject: index, scheme, inside, undetermined };
}

/** Gives schemes that parse the same text once: flaws of one package, and packages of one source, share their fixes. */
function rememberParsed(): (scheme: VersionScheme) => VersionScheme {
  const schemes = new Map<string, VersionScheme>();
  return (scheme) => {
    const known = schemes.get(scheme.id);
    if (known !== undefined) return known;
    const parsed = new Map<string, unknown>();
    const remembering: VersionScheme = {
      ...scheme,
      parse(version) {
        if (parsed.has(version)) return parsed.get(version);
        const fresh = scheme.parse(version);
        if (parsed.size < MAX_REMEMBERED) parsed.set(version, fresh);
        return fresh;
      },
    };
    schemes.set(scheme.id, remembering);
    return remembering;
  };
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
  return inside.map(({ location, affected, fixed, range }) => ({
    record: recordAt(location, reader),
    affected,
    fixed,
    range,
  }));
}

/** Whether a version is below a fix; undefined when the fix is no version. */
function isBelow(version: unknown, fix: string, scheme: VersionScheme): boolean | undefined {
  const fixed = scheme.parse(fix);
  return fixed === undefined ? undefined : scheme.compare(version, fixed) < 0;
}

function judge(detail: AffectedDetail, version: string, scheme: VersionScheme) {
  const listed = isListed(detail.v, version, scheme);
  if (detail.d === "x" && detail.r === undefined && detail.v === undefined) {
    return { kind: "inside", fixed: "", range: "all versions" } as const;
  }
  const verdict = compileRanges(unpackRanges(detail.r), scheme)(version);
  if (listed && verdict.kind !== "inside") return { kind: "inside", fixed: "", range: `version ${version}` } as const;
  // What is listed is told apart from everything else without an order.
  if (detail.r === undefined) return { kind: "outside" } as const;
  return verdict;
}

/** Registries and lock files spell one version in several ways: `1.0` and `1.0.0`, `v2.1` and `2.1`. */
function isListed(versions: readonly string[] = [], version: string, scheme: VersionScheme): boolean {
  if (versions.includes(version)) return true;
  const parsed = scheme.parse(version);
  if (parsed === undefined) return false;
  return versions.some((other) => {
    const candidate = scheme.parse(other);
    return candidate !== undefined && scheme.compare(parsed, candidate) === 0;
  });
}

/** A fix made in a module says nothing about packages outside it, and the reverse. */
function concernsModule(detail: AffectedDetail, module: string | undefined, isModular: boolean): boolean {
  if (detail.m !== undefined && module !== undefined && !sameModule(detail.m, module)) return false;
  let fixes = 0;
  let modular = 0;
  for (const event of detail.r?.flat() ?? []) {
    if (!event.startsWith("f")) continue;
    fixes++;
    if (MODULE_BUILD.test(event)) modular++;
  }
  return isModular ? modular === fixes : modular === 0 || modular < fixes;
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
  const fixedVersion = fixOf(flaw.hits, scheme);
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
  const fixable = hits.filter(({ fixed }) => fixed !== "");
  let fix = highest(
    fixable.map(({ fixed }) => fixed),
    scheme,
  );
  const chained = fixable.filter(({ affected: { r = [] } }) => r.length > 1 || (r[0]?.length ?? 0) > 2);
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

/** Records may name different fixes; only the highest satisfies all of them. */
function highest(versions: readonly string[], scheme: VersionScheme): string {
  if (versions.length <= 1) return versions[0] ?? "";
  return versions.reduce((best, version) => {
    const [a, b] = [scheme.parse(best), scheme.parse(version)];
    return a === undefined || (b !== undefined && scheme.compare(a, b) < 0) ? version : best;
  }, versions[0] ?? "");
}
