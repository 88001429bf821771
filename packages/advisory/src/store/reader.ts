import type { DatabaseSync } from "node:sqlite";
import type { DatabaseInfo, ExploitPrediction, KnownExploited } from "@bulwark/model";
import type { DatabaseStatus } from "../database.ts";
import { cveNumber } from "./cve-number.ts";
import { type AffectedDetail, type RecordDetail, unpackAffected, unpackBlock } from "./detail.ts";
import { BLOCK_SIZE, EPSS_SCALE } from "./schema.ts";

/** Reads an advisory database. */
export interface DatabaseReader {
  /** Rows of a package: where each record lies and what it says. */
  affected(ecosystem: string, name: string): readonly { readonly location: number; readonly detail: AffectedDetail }[];
  /** A record that was loaded. */
  record(location: number): RecordDetail | undefined;
  /** Where the records of a flaw lie, whatever package they speak of; nowhere for ids that are no CVE. */
  locationsOf(cve: string): readonly number[];
  /** Unpacks records, block by block. */
  load(locations: Iterable<number>): void;
  /** Forgets the records that were loaded. */
  unload(): void;
  knownExploited(cve: string): KnownExploited | undefined;
  prediction(cve: string): ExploitPrediction | undefined;
  info(): DatabaseInfo;
  status(): DatabaseStatus;
  close(): void;
}

export function databaseReader(database: DatabaseSync): DatabaseReader {
  const rows = database.prepare(
    "SELECT a.location, a.detail FROM package p JOIN affected a ON a.package = p.id WHERE p.ecosystem = ? AND p.name = ? ORDER BY a.location, a.seq",
  );
  const blockRow = database.prepare("SELECT data FROM block WHERE id = ?");
  const flawRows = database.prepare("SELECT location FROM flaw WHERE cve = ? ORDER BY location");
  const kevRows = database.prepare("SELECT cve, added, due, ransomware FROM kev");
  const epssRow = database.prepare("SELECT score, percentile FROM epss WHERE cve = ?");
  for (const statement of [rows, flawRows]) statement.setReturnArrays(true);
  const ecosystems = database.prepare("SELECT id, name, records FROM ecosystem ORDER BY name").all() as unknown as {
    id: number;
    name: string;
    records: number;
  }[];
  const ecosystemIds = new Map(ecosystems.map(({ id, name }) => [name, id]));
  const loaded = new Map<number, RecordDetail>();
  const locations = new Map<string, readonly number[]>();
  /** A thousand or two: read once, when the first flaw is looked up. */
  let exploited: ReadonlyMap<number, KnownExploited> | undefined;

  const load = (locations: Iterable<number>) => {
    const wanted = [...new Set(locations)].filter((location) => !loaded.has(location)).sort((a, b) => a - b);
    let blockId = -1;
    let block: readonly RecordDetail[] = [];
    for (const location of wanted) {
      const id = Math.floor(location / BLOCK_SIZE);
      if (id !== blockId) {
        const row = blockRow.get(id) as { data: Uint8Array } | undefined;
        block = row === undefined ? [] : unpackBlock(row.data);
        blockId = id;
      }
      const record = block[location % BLOCK_SIZE];
      if (record !== undefined) loaded.set(location, record);
    }
  };
  return {
    affected(ecosystem, name) {
      const id = ecosystemIds.get(ecosystem);
      if (id === undefined) return [];
      const found = rows.all(id, name) as unknown as [location: number, detail: string | Uint8Array][];
      return found.map(([location, detail]) => ({ location, detail: unpackAffected(detail) }));
    },
    record: (location) => loaded.get(location),
    locationsOf(cve) {
      const number = cveNumber(cve);
      if (number === undefined) return [];
      const known = locations.get(cve) ?? (flawRows.all(number) as unknown as [number][]).map(([location]) => location);
      locations.set(cve, known);
      return known;
    },
    load,
    unload() {
      loaded.clear();
      locations.clear();
    },
    knownExploited(cve) {
      exploited ??= readExploited(kevRows.all() as unknown as ExploitedRow[]);
      return exploited.get(cveNumber(cve) ?? -1);
    },
    prediction(cve) {
      const row = epssRow.get(cveNumber(cve) ?? -1) as { score: number; percentile: number } | undefined;
      if (row === undefined) return undefined;
      return { score: row.score / EPSS_SCALE, percentile: row.percentile / EPSS_SCALE };
    },
    info() {
      const meta = new Map(
        (database.prepare("SELECT key, value FROM meta").all() as { key: string; value: string }[]).map((row) => [
          row.key,
          row.value,
        ]),
      );
      const { records } = database.prepare("SELECT count(*) AS records FROM record").get() as { records: number };
      return { built: meta.get("built") ?? "", records, seedOnly: meta.get("seedOnly") === "yes" };
    },
    status: () => ({
      ecosystems: ecosystems
        .filter(({ records }) => records > 0)
        .map(({ name, records }) => ({ ecosystem: name, records })),
      sources: database
        .prepare("SELECT name, updated, newest FROM source ORDER BY name")
        .all() as unknown as DatabaseStatus["sources"],
      knownExploited: count(database, "kev"),
      predictions: count(database, "epss"),
    }),
    close: () => database.close(),
  };
}

interface ExploitedRow {
  readonly cve: number;
  readonly added: string;
  readonly due: string;
  readonly ransomware: number;
}

function readExploited(rows: readonly ExploitedRow[]): ReadonlyMap<number, KnownExploited> {
  return new Map(rows.map(({ cve, added, due, ransomware }) => [cve, { added, due, ransomware: ransomware === 1 }]));
}

function count(database: DatabaseSync, table: "kev" | "epss"): number {
  return (database.prepare(`SELECT count(*) AS rows FROM ${table}`).get() as { rows: number }).rows;
}
