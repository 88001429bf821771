import { chmodSync } from "node:fs";
import { join } from "node:path";
import type { AdvisoryDatabase } from "@bulwark/advisory";
import type { AdvisoryMatch } from "@bulwark/model";
import {
  countEstate,
  estateOverview,
  listImages,
  listVulnerabilities,
  openStore,
  recountImages,
  type Store,
} from "@bulwark/store";
import { startPostgres } from "@bulwark/store/embedded";
import pg from "pg";
import { matchEstate } from "../apps/server/src/scans/watch-advisories.ts";
import { searchEstate } from "../apps/server/src/search/search.ts";
import { connectionOf } from "../packages/store/src/open-store.ts";
import { FULL, fillEstate, SMALL } from "./estate-data.ts";
import { ingestBench } from "./ingest.ts";
import { type BenchResult, limited, p95, smoke } from "./result.ts";

const SIZE = smoke ? SMALL : FULL;
const ROUNDS = smoke ? 5 : 60;
const COUNTED_AT_ONCE = 2_000;
const NEW_ADVISORIES = smoke ? 20 : 1_000;
const TENANT = 1;

/** An estate of 100,000 images in the database: lists, emergency search, new advisories, taking images in. */
export async function estateBench(work: string): Promise<readonly BenchResult[]> {
  chmodSync(work, 0o711); // run by root, PostgreSQL is another user, who has to come through
  const postgres = await startPostgres(join(work, "estate"));
  const store = await openStore(postgres.url);
  try {
    await fill(postgres.url, store);
    const images = `${SIZE.images.toLocaleString("en")} images`;
    return [
      limited(`emergency search in ${images}, p95`, await searches(store), "ms", 300),
      limited(`list of images, p95`, await lists(store), "ms", 100),
      limited(`list of vulnerabilities, p95`, await vulnerabilities(store), "ms", 100),
      limited(`overview, p95`, await overviews(store), "ms", 200),
      limited(`counting the estate, in the background`, await counting(store), "s", 60),
      limited(`matching an update of ${NEW_ADVISORIES} new advisories`, await update(store), "s", 10),
      ...(await ingestBench(work, store)),
    ];
  } finally {
    await store.close();
    await postgres.stop();
  }
}

async function fill(url: string, store: Store): Promise<void> {
  const client = new pg.Client(connectionOf(url));
  await client.connect();
  await fillEstate(client, SIZE).finally(() => client.end());
  const total = SIZE.images + SIZE.platforms;
  for (let first = 1; first <= total; first += COUNTED_AT_ONCE) {
    const ids = Array.from({ length: Math.min(COUNTED_AT_ONCE, total - first + 1) }, (_, index) => first + index);
    await store.tenant(TENANT, (db) => recountImages(db, ids));
  }
  await store.tenant(TENANT, (db) => countEstate(db, new Date()));
}

/** Components that everything stands on, and rare ones. */
function searches(store: Store): Promise<number> {
  const components = Array.from({ length: ROUNDS }, (_, n) =>
    n % 2 === 0 ? `library-${n * n}` : `module-${n * n * 3}`,
  );
  return p95(
    components.map(
      (component) => () => store.tenant(TENANT, (db) => searchEstate(db, { component, range: "<1.3" }, undefined)),
    ),
  );
}

function lists(store: Store): Promise<number> {
  const base = { sight: undefined, descending: true, limit: 50 } as const;
  const filters = [
    { sort: "risk" },
    { sort: "critical" },
    { sort: "firstSeen" },
    { sort: "sizeBytes" },
    { sort: "risk", search: "service-77" },
    { sort: "risk", repository: "group-7/service-107" },
    { sort: "risk", exploited: true },
    { sort: "risk", severity: "critical" },
    { sort: "risk", ownerId: 7 },
    { sort: "risk", unowned: true },
    { sort: "risk", vulnerability: "CVE-2024-10007" },
  ] as const;
  const runs = Array.from({ length: ROUNDS }, (_, n) => filters[n % filters.length]!);
  return p95(runs.map((filter) => () => store.tenant(TENANT, (db) => listImages(db, { ...base, ...filter }))));
}

function vulnerabilities(store: Store): Promise<number> {
  const runs = Array.from({ length: ROUNDS }, (_, n) => (["rank", "images", "firstSeen"] as const)[n % 3]!);
  return p95(runs.map((sort) => () => store.tenant(TENANT, (db) => listVulnerabilities(db, { sort, limit: 50 }))));
}

function overviews(store: Store): Promise<number> {
  const runs = Array.from({ length: Math.ceil(ROUNDS / 3) });
  return p95(runs.map(() => () => store.tenant(TENANT, (db) => estateOverview(db, undefined, new Date()))));
}

async function counting(store: Store): Promise<number> {
  const began = performance.now();
  await store.tenant(TENANT, (db) => countEstate(db, new Date()));
  return (performance.now() - began) / 1_000;
}

/** An update says all that is known already and a thousand flaws more, each of one package version. */
async function update(store: Store): Promise<number> {
  const database = await databaseWithMore(store);
  const tools = { database: async () => database } as Parameters<typeof matchEstate>[0]["tools"];
  const began = performance.now();
  const result = await matchEstate({ store, tools, clock: () => new Date() }, TENANT);
  const seconds = (performance.now() - began) / 1_000;
  if (result.added < NEW_ADVISORIES / 2) throw new Error(`only ${result.added} of ${NEW_ADVISORIES} were added`);
  process.stderr.write(`  ${result.added} new flaws reached ${result.images.length} images\n`);
  return seconds;
}

async function databaseWithMore(store: Store): Promise<AdvisoryDatabase> {
  const rows = await store.tenant(TENANT, (db) =>
    db.selectFrom("subject_match").innerJoin("subject", "subject.id", "subject_match.subject_id").selectAll().execute(),
  );
  const known = new Map<string, AdvisoryMatch[]>();
  const add = (key: string, match: AdvisoryMatch) => void (known.get(key)?.push(match) ?? known.set(key, [match]));
  for (const row of rows) {
    const { vulnerability_id: id, severity, exploited, priority } = row;
    add(`${row.ecosystem} ${row.name} ${row.version}`, {
      ...MADE_UP,
      id,
      severity,
      priority: { score: priority, reasons: [] },
      ...(exploited ? { kev: KEV } : {}),
    });
  }
  const subjects = await store.tenant(TENANT, (db) => db.selectFrom("subject").selectAll().execute());
  for (let n = 0; n < NEW_ADVISORIES; n++) {
    const subject = subjects[(n * 7_919) % subjects.length]!;
    add(`${subject.ecosystem} ${subject.name} ${subject.version}`, {
      ...MADE_UP,
      id: `CVE-2026-${20_000 + n}`,
      severity: "critical",
    });
  }
  return {
    info: { built: "2026-06-01T00:00:00Z", records: 1, seedOnly: false },
    match: (asked) =>
      asked.map(({ ecosystem, name, version }, subject) => ({
        subject,
        matches: known.get(`${ecosystem} ${name} ${version}`) ?? [],
        undetermined: [],
      })),
    status: () => ({ ecosystems: [], sources: [], knownExploited: 0, predictions: 0 }),
    close: () => {},
  };
}

const KEV = { added: "2026-01-01", due: "2026-02-01", ransomware: false };
const MADE_UP: AdvisoryMatch = {
  id: "",
  aliases: [],
  advisories: [],
  severity: "low",
  title: "made up",
  fixedVersion: "9",
  status: "fixed",
  range: "",
  publicExploit: false,
  malicious: false,
  references: [],
  priority: { score: 40, reasons: [] },
};
