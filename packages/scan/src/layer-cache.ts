import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { LayerReport } from "@bulwark/model";
import { ScanError } from "./errors.ts";

/** Raised when the table changes: an older cache is thrown away, it can be made again. */
const SCHEMA_VERSION = 4;
const BUSY_TIMEOUT_MS = 5_000;
const LENGTH_BYTES = 4;
/** The report's JSON and its four lists. */
const PARTS = 5;
const MAX_REPORT_BYTES = 512 * 1024 * 1024;

/** Layer reports that are kept between runs, on this machine or elsewhere. */
export interface LayerReports {
  /** Undefined when the layer was not analysed yet by these analyzers in these versions. */
  get(diffId: string, analyzers: string): LayerReport | undefined | Promise<LayerReport | undefined>;
  put(analyzers: string, report: LayerReport): void | Promise<void>;
}

/** What is found in images' configurations, kept between runs. */
export interface ConfigReports {
  /** What was found in an image's configuration, as JSON, by a key that names its content and the scanners. */
  getConfig(key: string): string | undefined;
  putConfig(key: string, json: string): void;
}

/** The layer cache of this machine. */
export interface LayerCache extends LayerReports, ConfigReports {
  get(diffId: string, analyzers: string): LayerReport | undefined;
  close(): void;
}

/** A layer report as bytes, for caches of whatever kind. */
export function encodeLayerReport({ paths, owned, recorded, digests, ...report }: LayerReport): Uint8Array {
  const parts = [zstdCompressSync(JSON.stringify(report)), paths, owned, recorded, digests];
  const lengths = Buffer.alloc(parts.length * LENGTH_BYTES);
  for (const [index, part] of parts.entries()) lengths.writeUInt32LE(part.length, index * LENGTH_BYTES);
  return Buffer.concat([lengths, ...parts]);
}

/** The report of which `encodeLayerReport` made the bytes. */
export function decodeLayerReport(bytes: Uint8Array): LayerReport {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = PARTS * LENGTH_BYTES;
  const part = (index: number) => {
    const length = buffer.readUInt32LE(index * LENGTH_BYTES);
    at += length;
    return new Uint8Array(bytes.buffer, bytes.byteOffset + at - length, length);
  };
  const json = zstdDecompressSync(part(0), { maxOutputLength: MAX_REPORT_BYTES }).toString("utf8");
  return { ...JSON.parse(json), paths: part(1), owned: part(2), recorded: part(3), digests: part(4) };
}

/**
 * Opens the layer cache, a single SQLite file that several processes may use at once.
 *
 * @param file made with its directory, readable by its owner only, when missing
 * @throws ScanError `CACHE_DAMAGED`
 */
export function openLayerCache(file: string): LayerCache {
  try {
    return cacheOver(openDatabase(file));
  } catch (cause) {
    throw new ScanError(
      "CACHE_DAMAGED",
      `the layer cache ${file} cannot be used`,
      "delete the file and scan again",
      cause,
    );
  }
}

function openDatabase(file: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // It tells of images and their secrets' places; SQLite gives its side files the same mode.
  closeSync(openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600));
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
  const version = database.prepare("PRAGMA user_version").get()?.user_version;
  if (version !== SCHEMA_VERSION) {
    database.exec(`
      PRAGMA journal_mode = WAL;
      BEGIN IMMEDIATE;
      DROP TABLE IF EXISTS layer_report;
      CREATE TABLE layer_report (
        diff_id TEXT NOT NULL, analyzers TEXT NOT NULL, report BLOB NOT NULL,
        PRIMARY KEY (diff_id, analyzers)
      ) STRICT;
      DROP TABLE IF EXISTS config_report;
      CREATE TABLE config_report (key TEXT PRIMARY KEY, report TEXT NOT NULL) STRICT, WITHOUT ROWID;
      PRAGMA user_version = ${SCHEMA_VERSION};
      COMMIT;`);
  }
  database.exec("PRAGMA synchronous = NORMAL");
  return database;
}

function cacheOver(database: DatabaseSync): LayerCache {
  const select = database.prepare("SELECT report FROM layer_report WHERE diff_id = ? AND analyzers = ?");
  const insert = database.prepare("INSERT OR REPLACE INTO layer_report VALUES (?, ?, ?)");
  const selectConfig = database.prepare("SELECT report FROM config_report WHERE key = ?");
  const insertConfig = database.prepare("INSERT OR REPLACE INTO config_report VALUES (?, ?)");
  return {
    get(diffId, analyzers) {
      const row = select.get(diffId, analyzers) as { report: Uint8Array } | undefined;
      return row === undefined ? undefined : decodeLayerReport(row.report);
    },
    put: (analyzers, report) => void insert.run(report.diffId, analyzers, encodeLayerReport(report)),
    getConfig: (key) => (selectConfig.get(key) as { report: string } | undefined)?.report,
    putConfig: (key, json) => void insertConfig.run(key, json),
    close: () => database.close(),
  };
}
