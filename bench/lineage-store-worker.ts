import { deepStrictEqual } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Spread } from "@bulwark/lineage";
import { openStore } from "@bulwark/store";
import { startPostgres } from "@bulwark/store/embedded";
import pg from "pg";
import { workOnForest } from "../apps/server/src/lineage/forest-work.ts";
import { growWhole } from "../apps/server/src/lineage/grow.ts";
import { measureTenant } from "../apps/server/src/lineage/keep-forest.ts";
import { connectionOf } from "../packages/store/src/open-store.ts";
import { startTestServer } from "../test/support/running-server.ts";
import type { SpreadTruth } from "./lineage-data.ts";
import { VULNERABILITIES, vulnerabilityId } from "./lineage-findings.ts";
import { assertTruth } from "./lineage-truth.ts";
import { p95, smoke } from "./result.ts";

/** What the server takes for an estate that lies in the database. Times in milliseconds, of queries the 95th percentile. */
export interface LineageStoreRun {
  readonly images: number;
  readonly diskGib: number;
  readonly rebuildMs: number;
  readonly pushMs: number;
  readonly deleteMs: number;
  readonly standingMs: number;
  readonly searchMs: number;
  readonly planMs: number;
  readonly spreadMs: number;
}

const ROUNDS = smoke ? 10 : 100;
const TENANT = 1;
const PUSH = `
  WITH new_chain AS (
    INSERT INTO chain (tenant_id, digest, parent_id, layer_id, depth, analyzers)
    SELECT tenant_id, $1, id, layer_id, depth + 1, analyzers FROM chain WHERE id = $2 RETURNING id, tenant_id),
  new_image AS (
    INSERT INTO image (tenant_id, digest, platform, state, chain_id)
    SELECT tenant_id, $1, 'linux/amd64', 'scanned', id FROM new_chain RETURNING id, tenant_id)
  INSERT INTO image_location (tenant_id, image_id, repository_id) SELECT tenant_id, id, $3 FROM new_image`;

const [directory = "", truthFile = ""] = process.argv.slice(2);
const truth = JSON.parse(readFileSync(truthFile, "utf8")) as SpreadTruth;
const postgres = await startPostgres(directory);
const store = await openStore(postgres.url);
/** As the superuser, who sees all rows: for what is not measured, and for what scans and registries would write. */
const client = new pg.Client(connectionOf(postgres.url));
await client.connect();
const server = await startTestServer(join(directory, "server"), { roles: new Set(["api"]), databaseUrl: postgres.url });
try {
  const rebuildMs = await measureSpread();
  assertTruth(await server.call<Spread>("GET", "/lineage/spread"), truth);
  const run: LineageStoreRun = {
    ...{ images: truth.images, diskGib: await diskGib(), rebuildMs },
    spreadMs: await p95(repeated(() => server.call("GET", "/lineage/spread"))),
    planMs: await timed(() => workOnForest(store, TENANT, { kind: "plan", measure: "risk", goal: { share: 0.6 } })),
    standingMs: await p95(await basesAsked()),
    searchMs: await p95(
      repeated((n) => server.call("POST", "/search", { vulnerability: vulnerabilityId((n * 331) % VULNERABILITIES) })),
    ),
    deleteMs: await p95(await deletions()),
    pushMs: await p95(await pushes()),
  };
  const grown = await nodes();
  await measureSpread();
  deepStrictEqual(await nodes(), grown, "the forest that grew is the one that is built anew");
  console.log(JSON.stringify(run));
} finally {
  await server.close();
  await client.end();
  await store.close();
  await postgres.stop();
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function repeated(ask: (round: number) => Promise<unknown>): readonly (() => Promise<unknown>)[] {
  return Array.from({ length: ROUNDS }, (_, round) => () => ask(round));
}

/** Builds the forest anew, measures the spread and traces risk. With a change that waits every node is written. */
async function measureSpread(): Promise<number> {
  await client.query(
    "INSERT INTO lineage_change (tenant_id, chain_id) SELECT tenant_id, min(id) FROM chain GROUP BY 1",
  );
  return timed(() => measureTenant({ store, clock: () => new Date() }, TENANT));
}

/** Everything that is kept of the forest, in short. */
async function nodes(): Promise<unknown> {
  const { rows } = await client.query(
    "SELECT count(*), md5(string_agg(n::text, ',' ORDER BY chain_id)) FROM lineage_node n",
  );
  return rows;
}

/** What stands on the bases that carry the most, on those in the middle and on those that carry little. */
async function basesAsked(): Promise<readonly (() => Promise<unknown>)[]> {
  const { rows } = await client.query<{ id: number }>(
    `SELECT id FROM (SELECT chain_id AS id, row_number() OVER (ORDER BY beneath DESC) AS place FROM lineage_node
       WHERE beneath > 0) ranked WHERE place IN (SELECT floor(power(1.12, n)) FROM generate_series(0, $1 - 1) n)`,
    [ROUNDS],
  );
  return rows.map(({ id }) => async () => {
    await server.call("GET", `/lineage/nodes/${id}`);
    await server.call("GET", `/lineage/nodes/${id}/images?limit=50`);
  });
}

/** Images here and there. */
async function someImages(): Promise<
  readonly { readonly id: number; readonly top: number; readonly middle: number }[]
> {
  const { rows } = await client.query<{ id: number; top: number; middle: number }>(
    `SELECT i.id, i.chain_id AS top, ic.chain_id AS middle FROM image i
       JOIN image_chain ic ON ic.image_id = i.id AND ic.depth = i.layer_count / 2
     WHERE i.state = 'scanned' AND i.layer_count > 1 ORDER BY hashint8(i.id) LIMIT $1`,
    [ROUNDS],
  );
  return rows;
}

async function deletions(): Promise<readonly (() => Promise<unknown>)[]> {
  return (await someImages()).map(({ id }) => async () => {
    await client.query("UPDATE image_location SET gone_at = now() WHERE image_id = $1", [id]);
    await client.query("UPDATE image SET state = 'gone' WHERE id = $1", [id]);
    await growWhole(store, TENANT);
  });
}

/** Images on top of others, and on layers in the midst of others. */
async function pushes(): Promise<readonly (() => Promise<unknown>)[]> {
  let pushed = 0;
  return (await someImages()).map(({ top, middle }) => async () => {
    const isOnTop = pushed++ % 2 === 0;
    await client.query(PUSH, [`sha256:pushed-${pushed}`, isOnTop ? top : middle, 1 + (pushed % 50)]);
    await growWhole(store, TENANT);
  });
}

async function diskGib(): Promise<number> {
  const { rows } = await client.query<{ size: string }>("SELECT pg_database_size(current_database()) AS size");
  return Number(rows[0]?.size) / 2 ** 30;
}
