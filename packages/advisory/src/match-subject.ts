import type { AdvisorySubject, EcosystemCatalog, VersionScheme } from "@bulwark/model";
import type { SubjectMatches } from "./database.ts";
import { AdvisoryError } from "./errors.ts";
import { type Flaw, type Hit, mergeFlaws } from "./flaws.ts";
import { compileRanges } from "./ranges.ts";
import { type AffectedDetail, onlyFix, type RecordDetail, unpackAffected, unpackRanges } from "./store/detail.ts";
import type { AffectedRow, DatabaseReader } from "./store/reader.ts";
import { isRated, toMatch } from "./to-match.ts";

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
  const held: number[] = [];
  for (const { inside, undetermined } of judged) {
    for (const { location } of inside) held.push(location);
    for (const { location } of undetermined) held.push(location);
  }
  reader.load(held);
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
    const made = schemes.get(scheme.id);
    if (made !== undefined) return made;
    const parsed = new Map<string, unknown>();
    const remembering: VersionScheme = {
      ...scheme,
      parse(version) {
        const known = parsed.get(version);
        if (known !== undefined || parsed.has(version)) return known;
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
