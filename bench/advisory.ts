import { createWriteStream, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openAdvisoryDatabase } from "@bulwark/advisory";
import { catalog } from "@bulwark/ecosystems";
import type { AdvisorySubject } from "@bulwark/model";
import { runProcess } from "./process.ts";
import { baseRecords, multiplied, type RawRecord } from "./records.ts";
import { type BenchResult, compared, limited, median, smoke } from "./result.ts";
import { zipWriter } from "./zip-file.ts";

const RECORDS = smoke ? 2_000 : 300_000;
const RUNS = smoke ? 1 : 3;
const DELTA = 500;
const PACKAGES = smoke ? [500, 1_000] : [1_000, 10_000, 100_000];
/** Of the packages of an image or an estate most have no record at all. */
const KNOWN_SHARE = 5;
const BULWARK = join(import.meta.dirname, "../bin/bulwark");

/** The advisory database: building, a daily delta, matching. */
export async function advisoryBench(work: string): Promise<readonly BenchResult[]> {
  const base = await baseRecords();
  const zip = join(work, "all.zip");
  const subjects = await writeZip(zip, multiplied(base, RECORDS));
  const database = join(work, "bench.db");
  const built = await runProcess(BULWARK, ["db", "import", "--quiet", "--db", database, zip]);
  const thousand = `${RECORDS / 1000},000 records`;
  const results = [
    limited(`database of ${thousand}, time`, built.seconds, "s", 90),
    limited(`database of ${thousand}, peak memory`, built.peakMib, "MiB", 1024),
    compared(`database of ${thousand}, size`, mib(database), "MiB", "the zip it came from", mib(zip)),
  ];
  const delta = join(work, "delta.ndjson");
  const changed = [...multiplied(base, DELTA)].map((record) => ({ ...record, modified: "2030-01-01T00:00:00Z" }));
  writeFileSync(delta, changed.map((record) => JSON.stringify(record)).join("\n"));
  const updated = await runProcess(BULWARK, ["db", "import", "--quiet", "--db", database, delta]);
  results.push(limited(`delta of ${DELTA} records on it`, updated.seconds, "s", 2));
  return [...results, ...matching(database, subjects)];
}

function mib(file: string): number {
  return statSync(file).size / 1024 / 1024;
}

/** Writes the records and gives the packages they speak of. */
async function writeZip(file: string, records: Iterable<RawRecord>): Promise<readonly AdvisorySubject[]> {
  const subjects = new Map<string, AdvisorySubject>();
  const zip = zipWriter(createWriteStream(file));
  for (const record of records) {
    await zip.add(`${record.id.replace(/[^\w.:-]/g, "_")}.json`, JSON.stringify(record));
    const subject = subjectOf(record);
    if (subject !== undefined && subjects.size < (PACKAGES.at(-1) ?? 0))
      subjects.set(`${subject.ecosystem} ${subject.name}`, subject);
  }
  await zip.end();
  return [...subjects.values()];
}

/** The package a record speaks of, in the version that fixes it: most installed packages are fixed ones. */
function subjectOf({ affected = [] }: RawRecord): AdvisorySubject | undefined {
  const [first] = affected;
  const ecosystem = first?.package === undefined ? undefined : catalog.normalizeEcosystem(first.package.ecosystem);
  if (first?.package === undefined || ecosystem === undefined) return undefined;
  const version = /"fixed":"([^"]+)"/.exec(JSON.stringify(first.ranges ?? []))?.[1] ?? "1.2.3";
  return { ecosystem, name: catalog.normalizeName(ecosystem, first.package.name), version };
}

function matchOnce(
  file: string,
  asked: readonly AdvisorySubject[],
): { readonly seconds: number; readonly matches: number } {
  const database = openAdvisoryDatabase(file, catalog);
  const started = performance.now();
  const matches = database.match(asked).reduce((sum, result) => sum + result.matches.length, 0);
  const seconds = (performance.now() - started) / 1000;
  database.close();
  return { seconds, matches };
}

function matching(file: string, subjects: readonly AdvisorySubject[]): readonly BenchResult[] {
  const results: BenchResult[] = [];
  let first: number | undefined;
  for (const count of PACKAGES) {
    const asked = Array.from({ length: count }, (_, index) => {
      const subject = subjects[Math.floor(index / KNOWN_SHARE) % subjects.length] as AdvisorySubject;
      return index % KNOWN_SHARE === 0 ? subject : { ...subject, name: `${subject.name}-unknown-${index}` };
    });
    const runs = Array.from({ length: RUNS }, () => matchOnce(file, asked));
    const seconds = median(runs.map((run) => run.seconds));
    const matches = runs[0]?.matches ?? 0;
    const perPackage = (seconds / count) * 1e6;
    first ??= perPackage;
    results.push(
      compared(
        `match ${count} packages, 1 in ${KNOWN_SHARE} with records (${matches} matches), per package`,
        perPackage,
        "µs",
        `per package at ${PACKAGES[0]}`,
        first,
      ),
    );
    if (count === PACKAGES.at(-1)) results.push(limited(`match ${count} packages`, seconds, "s", 2));
  }
  return results;
}
