import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { EcosystemCatalog } from "@bulwark/model";
import { AdvisoryError } from "./errors.ts";
import { download, type Fetch, fetchText } from "./feeds/download.ts";
import { readFeed } from "./feeds/read-feed.ts";
import { feedIntake, markBuilt, noteSource } from "./import.ts";
import { MAX_RECORD_BYTES } from "./read-osv.ts";
import { openFile } from "./store/open-file.ts";
import { replaceFile } from "./store/replace-file.ts";

/** The published addresses. */
export const DEFAULT_OSV_URL = "https://storage.googleapis.com/osv-vulnerabilities";
export const DEFAULT_KEV_URL = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";
export const DEFAULT_EPSS_URL = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz";

/** Everything an image may hold that this version can judge. */
export const DEFAULT_ECOSYSTEMS: readonly string[] =
  "Debian,Ubuntu,Alpine,Wolfi,Chainguard,Red Hat,AlmaLinux,Rocky Linux,SUSE,openSUSE,openEuler,Azure Linux,npm,PyPI,Maven,Go,crates.io,RubyGems,Packagist,NuGet,Bitnami".split(
    ",",
  );

/** Where more records changed, one archive is quicker than that many requests. */
const MAX_SINGLE_RECORDS = 2_000;
const MAX_CSV_BYTES = 256 * 1024 * 1024;
const CONCURRENCY = 8;

export interface UpdateOptions {
  readonly database: string;
  readonly catalog: EcosystemCatalog;
  readonly ecosystems?: readonly string[];
  readonly osvUrl?: string;
  readonly kevUrl?: string;
  readonly epssUrl?: string;
  readonly fetch?: Fetch;
  /** Accept feeds that are older than what is held. */
  readonly force?: boolean;
  /** Told what is going on, in words. */
  readonly onProgress?: (what: string) => void;
}

/** What an update did, one line for each feed. */
export interface UpdateSummary {
  readonly lines: readonly string[];
}

/** A feed that was fetched: files to take in, and what to note about it. */
interface Fetched {
  readonly source: string;
  readonly files: readonly string[];
  readonly newest: string;
  readonly line: string;
}

/**
 * Brings the database up to date: all of an ecosystem the first time, later only the records that changed (OSV's
 * `modified_id.csv`). Everything is fetched first and then taken in at once, so that a failure changes nothing and readers
 * see the old database or the new one.
 *
 * @throws AdvisoryError `FEED_UNREACHABLE`, `FEED_INVALID`, `FEED_ROLLBACK` for a feed older than what is held
 */
export async function updateAdvisories(options: UpdateOptions): Promise<UpdateSummary> {
  const work = `${options.database}.download`;
  mkdirSync(work, { recursive: true });
  const held = heldSources(options.database);
  const fetched: Fetched[] = [];
  for (const ecosystem of options.ecosystems ?? DEFAULT_ECOSYSTEMS) {
    const got = await fetchEcosystem(ecosystem, held.get(`osv:${ecosystem}`), work, options);
    if (got !== undefined) fetched.push(got);
  }
  fetched.push(await fetchExploits("kev", options.kevUrl ?? DEFAULT_KEV_URL, work, options));
  fetched.push(await fetchExploits("epss", options.epssUrl ?? DEFAULT_EPSS_URL, work, options));
  const lines = await replaceFile(options.database, (database) => takeIn(database, fetched, held, options));
  rmSync(work, { recursive: true, force: true });
  return { lines };
}

function heldSources(file: string): ReadonlyMap<string, string> {
  if (!existsSync(file)) return new Map();
  const database = openFile(file, "read");
  const rows = database.prepare("SELECT name, newest FROM source").all() as { name: string; newest: string }[];
  database.close();
  return new Map(rows.map(({ name, newest }) => [name, newest]));
}

async function fetchEcosystem(
  ecosystem: string,
  held: string | undefined,
  work: string,
  options: UpdateOptions,
): Promise<Fetched | undefined> {
  const fetch = options.fetch ?? globalThis.fetch;
  const root = `${(options.osvUrl ?? DEFAULT_OSV_URL).replace(/\/$/, "")}/${encodeURIComponent(ecosystem)}`;
  const source = `osv:${ecosystem}`;
  options.onProgress?.(`${ecosystem}: asking what changed`);
  const changes = parseChanges(
    await fetchText(fetch, `${root}/modified_id.csv`, MAX_CSV_BYTES),
    `${root}/modified_id.csv`,
  );
  const newest = changes[0]?.modified ?? "";
  if (held !== undefined && newest < held && options.force !== true) throw rollback(ecosystem, newest, held);
  const changed =
    held === undefined || options.force === true ? changes : changes.filter(({ modified }) => modified > held);
  if (held !== undefined && changed.length === 0)
    return { source, files: [], newest, line: `${ecosystem}: up to date` };
  const isWhole = held === undefined || changed.length > MAX_SINGLE_RECORDS;
  // An archive that an earlier run left here counts only for the list of changes it was fetched with: the next update
  // asks for what is newer than that list.
  const stem = `${encodeURIComponent(ecosystem)}-${newest.replace(/[^0-9]/g, "")}.`;
  removeOthers(work, `${encodeURIComponent(ecosystem)}-`, stem);
  const file = join(work, `${stem}${isWhole ? "zip" : "ndjson"}`);
  if (isWhole) {
    const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
    if (!existsSync(file))
      await download(fetch, `${root}/all.zip`, file, (bytes) => options.onProgress?.(`${ecosystem}: ${mib(bytes)}`));
  } else
    writeFileSync(
      file,
      await fetchRecords(
        fetch,
        root,
        changed.map(({ id }) => id),
        ecosystem,
        options,
      ),
    );
  return { source, files: [file], newest, line: `${ecosystem}: ${isWhole ? "all" : "changed"} records` };
}

function removeOthers(folder: string, prefix: string, kept: string): void {
  for (const name of readdirSync(folder))
    if (name.startsWith(prefix) && !name.startsWith(kept)) rmSync(join(folder, name), { force: true });
}

interface Change {
  readonly modified: string;
  readonly id: string;
}

/** Lines of time and id, newest first; ids may be followed by nothing that is no id, for they become part of an address. */
function parseChanges(text: string, url: string): readonly Change[] {
  const changes: Change[] = [];
  for (const line of text.split("\n")) {
    const parts = /^(\d{4}-\d{2}-\d{2}T[\d:.]+Z),(?:[^,/]*\/)?([\w.:+-]{1,256})$/.exec(line.trim());
    if (parts !== null) changes.push({ modified: parts[1] ?? "", id: parts[2] ?? "" });
    else if (line.trim() !== "")
      throw new AdvisoryError("FEED_INVALID", `${url} has a line that is no time and id: ${line.slice(0, 80)}`);
  }
  return changes.sort((a, b) => (a.modified < b.modified ? 1 : a.modified > b.modified ? -1 : 0));
}

function rollback(feed: string, newest: string, held: string): AdvisoryError {
  const what = `the feed of ${feed} ends at ${newest || "nothing"}, older than the ${held} that is held: it may be a replayed copy`;
  return new AdvisoryError("FEED_ROLLBACK", what, "check the address; --force accepts the older feed");
}

async function fetchRecords(
  fetch: Fetch,
  root: string,
  ids: readonly string[],
  ecosystem: string,
  options: UpdateOptions,
): Promise<string> {
  const records: string[] = [];
  const queue = ids.entries();
  const worker = async () => {
    for (const [index, id] of queue) {
      const text = await fetchText(fetch, `${root}/${encodeURIComponent(id)}.json`, MAX_RECORD_BYTES);
      records[index] = text.replace(/\s*\n\s*/g, " ").trim();
      options.onProgress?.(`${ecosystem}: ${index + 1} of ${ids.length} changed records`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return `${records.join("\n")}\n`;
}

async function fetchExploits(
  source: "kev" | "epss",
  url: string,
  work: string,
  options: UpdateOptions,
): Promise<Fetched> {
  options.onProgress?.(`${source}: fetching`);
  const file = join(work, source);
  rmSync(file, { force: true });
  await download(options.fetch ?? globalThis.fetch, url, file, () => {});
  return {
    source,
    files: [file],
    newest: "",
    line: source === "kev" ? "known exploited flaws" : "exploit predictions",
  };
}

async function takeIn(
  database: DatabaseSync,
  fetched: readonly Fetched[],
  held: ReadonlyMap<string, string>,
  options: UpdateOptions,
): Promise<readonly string[]> {
  const intake = feedIntake(database, options.catalog);
  const lines: string[] = [];
  for (const { source, files, newest, line } of fetched) {
    const before = { ...intake.summary() };
    for (const file of files) {
      for await (const item of readFeed(file)) {
        const isNewer = item.kind !== "kev" || options.force === true || item.released >= (held.get("kev") ?? "");
        if (item.kind === "kev" && !isNewer)
          throw rollback("known exploited flaws", item.released, held.get("kev") ?? "");
        intake.take(item);
        options.onProgress?.(`taking in ${source}: ${intake.read()} records`);
      }
    }
    if (source.startsWith("osv:")) noteSource(database, source, newest);
    const now = intake.summary();
    const [added, withdrawn] = [now.added - before.added, now.withdrawn - before.withdrawn];
    lines.push(
      files.length === 0 || !source.startsWith("osv:") ? line : `${line}, ${added} taken in, ${withdrawn} withdrawn`,
    );
  }
  const { refused, refusals } = intake.finish();
  if (refused > 0) lines.push(`${refused} records could not be read: ${refusals[0]}`);
  markBuilt(database, false, new Date());
  return lines;
}
