import type { DatabaseSync } from "node:sqlite";
import type { EcosystemCatalog } from "@bulwark/model";
import { AdvisoryError } from "./errors.ts";
import { epssDate, putEpss } from "./feeds/epss.ts";
import { putKev } from "./feeds/kev.ts";
import { type FeedItem, readFeed } from "./feeds/read-feed.ts";
import { type RecordWriter, recordWriter, type WriteCounts } from "./store/record-writer.ts";
import { replaceFile } from "./store/replace-file.ts";

const REFUSED_SHOWN = 20;
const PROGRESS_EVERY = 2_000;

export interface ImportOptions {
  /** The database file; made when missing. */
  readonly database: string;
  readonly catalog: EcosystemCatalog;
  /** Files and directories, in any of the forms that {@link readFeed} knows. */
  readonly files: readonly string[];
  /** The records are the shipped seed: a database made of nothing else says so. */
  readonly seed?: boolean;
  /** Called now and then with the number of records read so far. */
  readonly onProgress?: (records: number) => void;
  readonly signal?: AbortSignal;
  readonly now?: () => Date;
}

/** What an import changed. */
export interface ImportSummary extends WriteCounts {
  readonly knownExploited: number;
  readonly predictions: number;
  /** What was no record: the number, and the first of them. */
  readonly refused: number;
  readonly refusals: readonly string[];
}

/**
 * Takes advisory data from files into the database. Readers keep the old database until all of it is in.
 *
 * @throws AdvisoryError `FEED_UNREACHABLE`, `FEED_INVALID` (nothing usable in a file); the database is then unchanged
 * @example await importAdvisories({ database: "advisories.db", catalog, files: ["npm.zip", "kev.json"] });
 */
export function importAdvisories(options: ImportOptions): Promise<ImportSummary> {
  return replaceFile(options.database, async (database) => {
    const intake = feedIntake(database, options.catalog);
    for (const file of options.files) {
      const before = intake.usable();
      for await (const item of readFeed(file)) {
        options.signal?.throwIfAborted();
        intake.take(item);
        if (intake.read() % PROGRESS_EVERY === 0) options.onProgress?.(intake.read());
      }
      if (intake.usable() === before) throw nothingUsable(file, intake.summary().refusals);
    }
    markBuilt(database, options.seed === true, (options.now ?? (() => new Date()))());
    return intake.finish();
  });
}

function nothingUsable(file: string, refusals: readonly string[]): AdvisoryError {
  const why = refusals.length > 0 ? `: ${refusals.at(-1)}` : "";
  const next = "give OSV records (zip, ndjson, json), the KEV catalogue or an EPSS export";
  return new AdvisoryError("FEED_INVALID", `${file} holds no advisory data${why}`, next);
}

/** Takes feed items into an open database. */
export interface FeedIntake {
  take(item: FeedItem): void;
  /** Items taken so far. */
  read(): number;
  /** Items that were advisory data. */
  usable(): number;
  summary(): ImportSummary;
  /** Writes what is pending. */
  finish(): ImportSummary;
}

export function feedIntake(database: DatabaseSync, catalog: EcosystemCatalog): FeedIntake {
  const writer: RecordWriter = recordWriter(database, catalog);
  const refusals: string[] = [];
  let [read, refused, knownExploited, predictions] = [0, 0, 0, 0];
  const summary = (): ImportSummary => ({ ...writer.counts, knownExploited, predictions, refused, refusals });
  return {
    take(item) {
      read++;
      if (item.kind === "record") writer.put(item.record);
      else if (item.kind === "kev") {
        knownExploited = putKev(database, item.vulnerabilities);
        noteSource(database, "kev", item.released);
      } else if (item.kind === "epss") {
        predictions = putEpss(database, item.text);
        noteSource(database, "epss", epssDate(item.text));
      } else {
        refused++;
        if (refusals.length < REFUSED_SHOWN) refusals.push(item.what);
      }
    },
    read: () => read,
    usable: () => read - refused,
    summary,
    finish() {
      writer.finish();
      return summary();
    },
  };
}

/** Notes when a feed was taken in and how new it was. */
export function noteSource(database: DatabaseSync, name: string, newest: string, now: Date = new Date()): void {
  database.prepare("INSERT OR REPLACE INTO source VALUES (?, ?, ?)").run(name, now.toISOString(), newest);
}

/** Notes when the database was built, and whether it holds nothing but the seed. */
export function markBuilt(database: DatabaseSync, seed: boolean, now: Date): void {
  const put = database.prepare("INSERT OR REPLACE INTO meta VALUES (?, ?)");
  const known = database.prepare("SELECT value FROM meta WHERE key = 'seedOnly'").get() as
    | { value: string }
    | undefined;
  put.run("built", now.toISOString());
  put.run("seedOnly", seed && known?.value !== "no" ? "yes" : "no");
}
