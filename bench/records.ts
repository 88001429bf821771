import { createReadStream, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";

/** Where real records lie for trials, when they are there: a directory of `*.ndjson.gz`. */
const REAL = process.env.BULWARK_BENCH_ADVISORIES ?? "";
const SEED = join(import.meta.dirname, "../content/advisories");

export interface RawRecord {
  id: string;
  modified?: string;
  aliases?: string[];
  upstream?: string[];
  affected?: { package?: { ecosystem: string; name: string }; ranges?: unknown; versions?: string[] }[];
  [field: string]: unknown;
}

/** Real records when there are any, else the seed. */
export async function baseRecords(): Promise<readonly RawRecord[]> {
  const files =
    REAL !== "" && existsSync(REAL)
      ? readdirSync(REAL, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ndjson.gz"))
      : [];
  if (files.length === 0) {
    const names = readdirSync(SEED).filter((name) => name.endsWith(".json"));
    return names.map((name) => JSON.parse(readFileSync(join(SEED, name), "utf8")));
  }
  const records: RawRecord[] = [];
  for (const name of files) {
    const lines = createInterface({ input: createReadStream(join(REAL, name)).pipe(createGunzip()) });
    for await (const line of lines) records.push(JSON.parse(line));
  }
  return records;
}

/** Records multiplied up to `count`: copies get ids, aliases, upstream flaws and package names of their own. */
export function* multiplied(base: readonly RawRecord[], count: number): Generator<RawRecord> {
  for (let made = 0; made < count; made++) {
    const record = base[made % base.length] as RawRecord;
    const copy = Math.floor(made / base.length);
    yield copy === 0 ? record : renamed(record, copy);
  }
}

const MILLION = 1_000_000;
/** Copies that fit into one year's numbers: a CVE id has eight digits at most, real ones six. */
const COPIES_A_YEAR = 90;

/** Names of a copy keep their form, for a CVE is looked up as a number. */
function otherId(id: string, copy: number): string {
  const cve = /^(.*CVE-)(\d{4})-(\d{4,6})$/.exec(id);
  if (cve === null) return `${id}-${copy}`;
  const year = Number(cve[2]) + 100 * Math.floor(copy / COPIES_A_YEAR);
  return `${cve[1]}${year}-${Number(cve[3]) + MILLION * (1 + (copy % COPIES_A_YEAR))}`;
}

function renamed(record: RawRecord, copy: number): RawRecord {
  const other = (id: string) => otherId(id, copy);
  return {
    ...record,
    id: other(record.id),
    aliases: (record.aliases ?? []).map(other),
    ...(record.upstream === undefined ? {} : { upstream: record.upstream.map(other) }),
    affected: (record.affected ?? []).map((affected) =>
      affected.package === undefined
        ? affected
        : // Most flaws concern packages that have several: every other copy adds to a known package.
          {
            ...affected,
            package: {
              ...affected.package,
              name: copy % 2 === 0 ? affected.package.name : `${affected.package.name}-${copy}`,
            },
          },
    ),
  };
}
