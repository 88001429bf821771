import type { DatabaseSync } from "node:sqlite";
import type { DatabaseInfo, ExploitPrediction, KnownExploited } from "@bulwark/model";
import type { DatabaseStatus } from "../database.ts";
import { cveNumber } from "./cve-number.ts";
import { type RecordDetail, unpackBlock } from "./detail.ts";
import { BLOCK_SIZE, EPSS_SCALE } from "./schema.ts";

/** Unpacked blocks kept while a list is matched: some 50 MB at the most, and a few for one image. */
const MAX_BLOCKS = 2_048;

type Block = ReturnType<typeof unpackBlock>;

export interface AffectedRow {
  readonly location: number;
  /** As {@link packAffected} packed it: most rows are ruled out without being unpacked. */
  readonly packed: string | Uint8Array;
}

/** Reads an advisory database. Each call of SQLite costs more than what it looks up, so that lists are asked for at once. */
export interface DatabaseReader {
  /** Rows of packages of one ecosystem, by name: where each record lies and what it says. */
  affected(ecosystem: string, names: Iterable<string>): ReadonlyMap<string, readonly AffectedRow[]>;
  /** A record that was loaded. */
  record(location: number): RecordDetail | undefined;
  /** Where the records of a flaw lie, whatever package they speak of; nowhere for ids that are no CVE. */
  locationsOf(cve: string): readonly number[];
  /** Unpacks records, block by block. */
  load(locations: Iterable<number>): void;
  /** Forgets the records that were loaded. */
  unload(): void;
  knownExploited(cve: string): KnownExploited | undefined;
  /** Reads the predictions of flaws. */
  loadPredictions(cves: Iterable<string>): void;
  /** A prediction that was loaded. */
  prediction(cve: string): ExploitPrediction | undefined;
  info(): DatabaseInfo;
  status(): DatabaseStatus;
  close(): void;
}

export function databaseReader(database: DatabaseSync): DatabaseReader {
  const rows = database.prepare(
    "SELECT n.value, a.location, a.detail FROM json_each(?) n CROSS JOIN package p ON p.ecosystem = ? AND p.name = n.value CROSS JOIN affected a ON a.package = p.id",
  );
  const blockRows = database.prepare("SELECT b.id, b.data FROM json_each(?) n CROSS JOIN block b ON b.id = n.value");
  const flawRows = database.prepare("SELECT location FROM flaw WHERE cve = ? ORDER BY location");
  const kevRows = database.prepare("SELECT cve, added, due, ransomware FROM kev");
  const epssRows = database.prepare(
    "SELECT e.cve, e.score, e.percentile FROM json_each(?) n CROSS JOIN epss e ON e.cve = n.value",
  );
  for (const statement of [rows, blockRows, epssRows, flawRows]) statement.setReturnArrays(true);
  const ecosystems = database.prepare("SELECT id, name, records FROM ecosystem ORDER BY name").all() as unknown as {
    id: number;
    name: string;
    records: number;
  }[];
  const ecosystemIds = new Map(ecosystems.map(({ id, name }) => [name, id]));
  const loaded = new Map<number, RecordDetail>();
  const blocks = new Map<number, Block>();
  const locations = new Map<string, readonly number[]>();
  const predictions = new Map<number, ExploitPrediction>();
  /** A thousand or two: read once, when the first flaw is looked up. */
  let exploited: ReadonlyMap<number, KnownExploited> | undefined;

  const load = (wanted: Iterable<number>) => {
    const slots = Map.groupBy(
      [...new Set(wanted)].filter((location) => !loaded.has(location)).sort((a, b) => a - b),
      (location) => Math.floor(location / BLOCK_SIZE),
    );
    const take = (id: number, recordIn: Block) => {
      for (const location of slots.get(id) ?? []) {
        const record = recordIn(location % BLOCK_SIZE);
        if (record !== undefined) loaded.set(location, record);
      }
      slots.delete(id);
    };
    for (const id of [...slots.keys()]) {
      const known = blocks.get(id);
      if (known !== undefined) take(id, known);
    }
    const asked = blockRows.iterate(JSON.stringify([...slots.keys()])) as unknown as Iterable<[number, Uint8Array]>;
    for (const [id, data] of asked) {
      const block = unpackBlock(data);
      if (blocks.size < MAX_BLOCKS) blocks.set(id, block);
      take(id, block);
    }
  };
  return {
    affected(ecosystem, names) {
      const found = new Map<string, AffectedRow[]>();
      const id = ecosystemIds.get(ecosystem);
      if (id === undefined) return found;
      const asked = rows.iterate(JSON.stringify([...new Set(names)]), id);
      for (const [name, location, packed] of asked as unknown as Iterable<[string, number, string | Uint8Array]>) {
        const row = { location, packed };
        const known = found.get(name);
        if (known === undefined) found.set(name, [row]);
        else known.push(row);
      }
      return found;
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
      blocks.clear();
      predictions.clear();
    },
    knownExploited(cve) {
      exploited ??= readExploited(kevRows.all() as unknown as ExploitedRow[]);
      return exploited.get(cveNumber(cve) ?? -1);
    },
    loadPredictions(cves) {
      const numbers = [...new Set(cves)].map(cveNumber).filter((number) => number !== undefined);
      const found = epssRows.iterate(JSON.stringify(numbers)) as unknown as Iterable<[number, number, number]>;
      for (const [cve, score, percentile] of found) {
        predictions.set(cve, { score: score / EPSS_SCALE, percentile: percentile / EPSS_SCALE });
      }
    },
    prediction: (cve) => predictions.get(cveNumber(cve) ?? -1),
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
