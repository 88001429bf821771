import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { EcosystemCatalog, VersionScheme } from "@bulwark/model";
import { bestCvss, readCvss } from "../cvss/cvss.ts";
import type { AffectedPackage, OsvRecord } from "../osv-record.ts";
import { compileRanges } from "../ranges.ts";
import { severityOfWord } from "../severity.ts";
import { cveNumber } from "./cve-number.ts";
import { type AffectedDetail, packAffected, packBlock, packRanges, type RecordDetail, unpackBlock } from "./detail.ts";
import { BLOCK_SIZE } from "./schema.ts";

/** How a batch of records went. */
export interface WriteCounts {
  /** Records that are in the database now and were not, or were older. */
  added: number;
  /** Records taken out because they were withdrawn. */
  withdrawn: number;
  /** Records that were there in the same or a newer version. */
  unchanged: number;
  /** Records that speak of no package whose versions can be ordered. */
  skipped: number;
}

/** Puts records into a database that nobody reads yet. */
export interface RecordWriter {
  readonly counts: WriteCounts;
  put(record: OsvRecord): void;
  /** Writes what is pending; the writer is of no use afterwards. */
  finish(): void;
}

interface Row {
  readonly ecosystem: number;
  readonly package: number;
  readonly detail: AffectedDetail;
}

/** Makes a writer. The caller holds the transaction. */
export function recordWriter(database: DatabaseSync, catalog: EcosystemCatalog): RecordWriter {
  const statements = prepare(database);
  const names = nameTable(statements);
  const pending: RecordDetail[] = [];
  let block = nextId(database, "block");
  const counts: WriteCounts = { added: 0, withdrawn: 0, unchanged: 0, skipped: 0 };

  const flush = () => {
    if (pending.length === 0) return;
    statements.addBlock.run(block++, packBlock(pending));
    pending.length = 0;
  };
  const remove = (location: number, id: string) => {
    const detail = detailAt(location);
    for (const number of detail?.p ?? []) statements.dropAffected.run(number, location);
    for (const ecosystem of detail?.e ?? []) statements.count.run(-1, ecosystem);
    for (const cve of detail === undefined ? [] : cvesOf(detail)) statements.dropFlaw.run(cve, location);
    statements.dropRecord.run(id);
  };
  const detailAt = (location: number): RecordDetail | undefined => {
    const at = Math.floor(location / BLOCK_SIZE);
    if (at === block) return pending[location % BLOCK_SIZE];
    const row = statements.getBlock.get(at) as { data: Uint8Array } | undefined;
    return row === undefined ? undefined : unpackBlock(row.data)(location % BLOCK_SIZE);
  };
  const add = (record: OsvRecord, rows: readonly Row[]) => {
    const location = block * BLOCK_SIZE + pending.length;
    const detail = recordDetail(record, rows);
    rows.forEach((row, seq) => {
      statements.addAffected.run(row.package, location, seq, packAffected(row.detail));
    });
    for (const ecosystem of detail.e) statements.count.run(1, ecosystem);
    for (const cve of cvesOf(detail)) statements.addFlaw.run(cve, location);
    statements.addRecord.run(record.id, location, seconds(record.modified));
    pending.push(detail);
    if (pending.length === BLOCK_SIZE) flush();
  };

  return {
    counts,
    put(record) {
      const known = statements.getRecord.get(record.id) as { location: number; modified: number } | undefined;
      const modified = seconds(record.modified);
      // Records without a time (some converters leave it out) always replace what is there.
      if (known !== undefined && modified > 0 && known.modified >= modified && !record.withdrawn) {
        counts.unchanged++;
        return;
      }
      if (known !== undefined) remove(known.location, record.id);
      if (record.withdrawn) {
        counts.withdrawn++;
        return;
      }
      const rows = rowsOf(record, catalog, names);
      if (rows.length === 0) {
        counts.skipped++;
        return;
      }
      add(record, rows);
      counts.added++;
    },
    finish: flush,
  };
}

function seconds(time: string): number {
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) ? 0 : Math.floor(parsed / 1000);
}

function cvesOf({ id, a = [], u = [] }: RecordDetail): ReadonlySet<number> {
  return new Set([id, ...a, ...u].map(cveNumber).filter((number) => number !== undefined));
}

function recordDetail(record: OsvRecord, rows: readonly Row[]): RecordDetail {
  const { aliases, upstream, references } = record;
  const cvss = bestCvss(record.vectors);
  const word = [record.severity, ...record.vectors].find((text) => severityOfWord(text) !== undefined);
  return {
    id: record.id,
    t: record.title,
    ...(aliases.length > 0 ? { a: aliases } : {}),
    ...(upstream.length > 0 ? { u: upstream } : {}),
    ...(cvss === undefined ? {} : { cvss }),
    ...(word === undefined ? {} : { s: word }),
    ...(references.length > 0 ? { r: references } : {}),
    ...(record.publicExploit ? { x: 1 as const } : {}),
    p: [...new Set(rows.map((row) => row.package))],
    e: [...new Set(rows.map((row) => row.ecosystem))],
  };
}

function rowsOf(record: OsvRecord, catalog: EcosystemCatalog, names: NameTable): readonly Row[] {
  const rows: Row[] = [];
  for (const affected of record.affected) {
    const ecosystem = catalog.normalizeEcosystem(affected.ecosystem);
    const scheme = ecosystem === undefined ? undefined : catalog.schemeOf(ecosystem);
    if (ecosystem === undefined || scheme === undefined || affected.name === "") continue;
    const says = affected.ranges.length > 0 || affected.versions.length > 0 || affected.decision === "not-affected";
    if (!says) continue;
    const name = catalog.normalizeName(ecosystem, affected.name);
    const id = names.ecosystem(ecosystem);
    rows.push({ ecosystem: id, package: names.package(id, name), detail: affectedDetail(affected, scheme) });
  }
  return rows;
}

function affectedDetail(affected: AffectedPackage, scheme: VersionScheme): AffectedDetail {
  const versions = notImplied(affected, scheme);
  const cvss = affected.vectors.map(readCvss).find((read) => read !== undefined);
  const severity = [affected.severity, ...affected.vectors].find((text) => severityOfWord(text) !== undefined);
  return {
    ...(affected.ranges.length > 0 ? { r: packRanges(affected.ranges) } : {}),
    ...(versions.length > 0 ? { v: versions } : {}),
    ...(severity === undefined ? {} : { s: severity }),
    ...(cvss === undefined ? {} : { c: cvss }),
    ...(affected.decision === "" ? {} : { d: affected.decision === "not-affected" ? ("x" as const) : ("n" as const) }),
    ...(affected.module === "" ? {} : { m: affected.module }),
  };
}

/** Many records list every version that their ranges hold anyway; only the others carry knowledge. */
function notImplied({ versions, ranges }: AffectedPackage, scheme: VersionScheme): readonly string[] {
  if (versions.length === 0 || ranges.length === 0) return versions;
  const evaluate = compileRanges(ranges, scheme);
  return versions.filter((version) => evaluate(version).kind !== "inside");
}

interface NameTable {
  ecosystem(name: string): number;
  package(ecosystem: number, name: string): number;
}

function nameTable(statements: Statements): NameTable {
  const ecosystems = new Map<string, number>();
  const packages = new Map<string, number>();
  let next = Number((statements.maxPackage.get() as { next: number }).next);
  return {
    ecosystem(name) {
      const known = ecosystems.get(name);
      if (known !== undefined) return known;
      statements.addEcosystem.run(name);
      const { id } = statements.getEcosystem.get(name) as { id: number };
      ecosystems.set(name, id);
      return id;
    },
    package(ecosystem, name) {
      const key = `${ecosystem}\0${name}`;
      const known = packages.get(key) ?? (statements.getPackage.get(ecosystem, name) as { id: number } | undefined)?.id;
      const id = known ?? next++;
      if (known === undefined) statements.addPackage.run(ecosystem, name, id);
      packages.set(key, id);
      return id;
    },
  };
}

function nextId(database: DatabaseSync, table: "block"): number {
  const row = database.prepare(`SELECT coalesce(max(id), 0) + 1 AS next FROM ${table}`).get() as { next: number };
  return row.next;
}

const SQL = {
  addBlock: "INSERT INTO block VALUES (?, ?)",
  getBlock: "SELECT data FROM block WHERE id = ?",
  addAffected: "INSERT INTO affected VALUES (?, ?, ?, ?)",
  dropAffected: "DELETE FROM affected WHERE package = ? AND location = ?",
  addFlaw: "INSERT OR IGNORE INTO flaw VALUES (?, ?)",
  dropFlaw: "DELETE FROM flaw WHERE cve = ? AND location = ?",
  addRecord: "INSERT INTO record VALUES (?, ?, ?)",
  dropRecord: "DELETE FROM record WHERE id = ?",
  getRecord: "SELECT location, modified FROM record WHERE id = ?",
  addEcosystem: "INSERT OR IGNORE INTO ecosystem (name, records) VALUES (?, 0)",
  getEcosystem: "SELECT id FROM ecosystem WHERE name = ?",
  count: "UPDATE ecosystem SET records = records + ? WHERE id = ?",
  addPackage: "INSERT INTO package VALUES (?, ?, ?)",
  getPackage: "SELECT id FROM package WHERE ecosystem = ? AND name = ?",
  maxPackage: "SELECT coalesce(max(id), 0) + 1 AS next FROM package",
} as const;

type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

function prepare(database: DatabaseSync): Statements {
  return Object.fromEntries(Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)])) as Statements;
}
