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
  /** Looks up where the records of flaws lie, whatever package they speak of; ids that are no CVE lie nowhere. */
  loadLocations(cves: Iterable<string>): void;
  /** Where the records of a flaw that was looked up lie. */
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
    "SELECT n.key, a.location, a.detail FROM json_each(?) n CROSS JOIN package p ON p.ecosystem = ? AND p.name = n.value CROSS JOIN affected a ON a.package = p.id",
  );
  const blockRows = database.prepare("SELECT b.id, b.data FROM json_each(?) n CROSS JOIN block b ON b.id = n.value");
  const flawRows = database.prepare(
    "SELECT f.cve, f.location FROM json_each(?) n CROSS JOIN flaw f ON f.cve = n.value ORDER BY f.cve, f.location",
  );
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
  const locations = new Map<number, number[]>();
  const predictions = new Map<number, ExploitPrediction>();
  /** A thousand or two: read once, when the first flaw is looked up. */
  let exploited: ReadonlyMap<number, KnownExploited> | undefined;

  const load = (wanted: Iterable<number>) => {
    const slots = new Map<number, number[]>();
    for (const location of Float64Array.from(new Set(wanted)).sort()) {
      if (loaded.has(location)) continue;
      const id = Math.floor(location / BLOCK_SIZE);
      const known = slots.get(id);
      if (known === undefined) slots.set(id, [location]);
      else known.push(location);
    }
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
      const sorted = [...new Set(names)].sort(); // the order of the index, so that neighbours share its pages
      const asked = rows.iterate(JSON.stringify(sorted), id) as unknown as Iterable<
        [number, number, AffectedRow["packed"]]
      >;
      let at = -1;
      let list: AffectedRow[] = [];
      for (const [index, location, packed] of asked) {
        if (index !== at) {
          at = index;
          list = [];
          found.set(sorted[index] as string, list);
        }
        list.push({ location, packed });
      }
      return found;
    },
    record: (location) => loaded.get(location),
    loadLocations(cves) {
      const numbers = [...new Set(cves)].map(cveNumber).filter((number) => number !== undefined);
      const found = flawRows.iterate(JSON.stringify(numbers)) as unknown as Iterable<[number, number]>;
      for (const [cve, location] of found) {
        const known = locations.get(cve);
        if (known === undefined) locations.set(cve, [location]);
        else known.push(location);
      }
    },
    locationsOf: (cve) => locations.get(cveNumber(cve) ?? -1) ?? [],
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
