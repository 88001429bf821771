import { chmodSync } from "node:fs";
import { join } from "node:path";
import { buildImage, temporaryDirectory, writeLayout } from "@bulwark/image/testing";
import { EMPTY_CONTAINER } from "@bulwark/model";
import { addNode, openStore, readBackup, recordContainers, type Store, writeBackup } from "@bulwark/store";
import { Kysely, PostgresDialect, sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withAllRows } from "../packages/store/src/all-rows.ts";
import { migrate } from "../packages/store/src/migrate.ts";
import { openPool } from "../packages/store/src/open-pool.ts";
import { connectionOf } from "../packages/store/src/open-store.ts";
import type { Database } from "../packages/store/src/schema.ts";
import { pushLayout } from "./support/push.ts";
import { type RealRegistry, startRealRegistry } from "./support/real-registry.ts";
import { ended, type SeenJob, type ServerUnderTest, startTestServer, until } from "./support/running-server.ts";
import { type SeparatePostgres, startSeparatePostgres } from "./support/separate-postgres.ts";

const directory = temporaryDirectory();
let real: RealRegistry;
let postgres: SeparatePostgres;
let server: ServerUnderTest;
let store: Store;

beforeAll(async () => {
  chmodSync(directory.path, 0o755);
  postgres = await startSeparatePostgres(join(directory.path, "postgres"));
  real = await startRealRegistry(join(directory.path, "registry"));
  server = await startTestServer(join(directory.path, "data"), { databaseUrl: postgres.url, retryMs: 200 });
  store = await openStore(postgres.url);
});
afterAll(async () => {
  await store?.close();
  await server?.close();
  await real?.stop();
  postgres?.stop();
  directory.remove();
});

test("a PostgreSQL of the distribution takes the schema from a user who is no superuser, and again from a second server", async () => {
  expect(Number(postgres.version.split(".")[0])).toBeGreaterThanOrEqual(15);
  expect(postgres.query("SELECT rolsuper FROM pg_roles WHERE rolname = 'bulwark'")).toBe("f");
  const steps = Number(postgres.query("SELECT count(*) FROM kysely_migration"));
  expect(steps).toBeGreaterThan(0);
  await (await openStore(postgres.url)).close();
  expect(Number(postgres.query("SELECT count(*) FROM kysely_migration"))).toBe(steps);
});

test("a registry is scanned into it and its findings are told", async () => {
  const layout = join(directory.path, "layout");
  const lodash = JSON.stringify({ name: "lodash", version: "4.17.4" });
  writeLayout(buildImage({ layers: [{ files: { "app/node_modules/lodash/package.json": lodash } }] }), layout, "x");
  await pushLayout(layout, `${real.host}/separate/app:1`);
  const where = { name: "separate", kind: "oci", address: real.host, plainHttp: true, allowPrivate: true };
  await server.call("POST", "/registries", { ...where, pollMinutes: 0 });
  const { items } = await server.call<{ items: readonly SeenJob[] }>("GET", "/jobs");
  expect(await ended(server, items[0]?.id ?? 0)).toMatchObject({ state: "done", done: 2, failed: 0 });
  const images = await server.call<{ items: readonly { digest: string }[] }>("GET", "/images?search=separate/app");
  const findings = await server.call<{ items: readonly { id: string }[] }>(
    "GET",
    `/images/${images.items[0]?.digest}/findings?search=lodash`,
  );
  expect(findings.items.map(({ id }) => id)).toContain("CVE-2019-10744");
  for (const page of ["/overview", "/vulnerabilities", "/packages", "/risks", "/risks/measures", "/audit", "/cases"]) {
    expect((await server.send("GET", page)).status, page).toBe(200);
  }
  const found = await server.call<{ summary: { images: number } }>("POST", "/search", { component: "lodash" });
  expect(found.summary.images).toBe(1);
  expect(await server.call("GET", "/audit/verify")).toMatchObject({ intact: true });
});

test("what one tenant has does not exist for another, nor for who names none", async () => {
  const { id } = await server.call<{ id: number }>("POST", "/tenants", { name: "other", login: "other-admin" });
  const repositories = (of: number) => store.tenant(of, (db) => db.selectFrom("repository").select("name").execute());
  expect(await repositories(1)).toEqual([{ name: "separate/app" }]);
  expect(await repositories(id)).toEqual([]);
  expect(await store.system.selectFrom("repository").select("name").execute()).toEqual([]);
  const write = store.tenant(id, (db) => db.insertInto("owner").values({ tenant_id: 1, name: "intruder" }).execute());
  await expect(write).rejects.toThrow(/row-level security/);
  // The owner of the tables, who makes them, is held to it as well.
  expect(
    postgres.query("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relrowsecurity AND NOT relforcerowsecurity"),
  ).toBe("0");
});

test("a backup is written and restored by a user who is no superuser, with what the database derives by itself", async () => {
  const now = new Date();
  await store.tenant(1, async (db) => {
    const made = { uid: "n", hostname: "n", facts: {}, sensorVersion: "1", certificateSerial: "1", now };
    const node = await addNode(db, made);
    const { digest } = await db.selectFrom("image").select("digest").executeTakeFirstOrThrow();
    const container = { ...EMPTY_CONTAINER, id: "c", imageDigest: digest, state: "running", arguments: [] };
    await recordContainers(db, node, [container], now);
  });
  const file = join(directory.path, "backup.zst");
  await writeBackup(store, file, { extra: {}, now });
  postgres.query("CREATE DATABASE restored OWNER bulwark");
  const url = postgres.url.replace(/bulwark$/, "restored");
  await readBackup(url, file);
  const restored = await openStore(url);
  try {
    const found = await restored.tenant(1, (db) =>
      sql`SELECT r.digest FROM running_image r JOIN image i ON i.id = r.image_id JOIN container k ON k.image_digest = r.digest`.execute(
        db,
      ),
    );
    expect(found.rows.length).toBe(1);
    expect(await restored.system.selectFrom("image").select("id").execute()).toEqual([]);
    // New rows do not meet the ids of those that were restored.
    await restored.tenant(1, (db) =>
      db.insertInto("repository").values({ tenant_id: 1, registry_id: 1, name: "new" }).execute(),
    );
  } finally {
    await restored.close();
  }
});

test("a step of the schema that is about rows sees those of all tenants, though its user is no superuser", async () => {
  postgres.query("CREATE DATABASE older OWNER bulwark");
  const url = postgres.url.replace(/bulwark$/, "older");
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool: openPool(connectionOf(url)) }) });
  await migrate(db, "0026-cluster-modes");
  await db.transaction().execute((at) =>
    withAllRows(
      (statement) => sql.raw(statement).execute(at),
      () =>
        sql`WITH made AS (INSERT INTO image (tenant_id, digest, platform) VALUES (1, 'sha256:a', 'linux/amd64')),
          node AS (INSERT INTO node (tenant_id, uid, hostname, facts, certificate_serial, enrolled_at)
            VALUES (1, 'n', 'n', '{}', '1', now()) RETURNING id)
          INSERT INTO container (tenant_id, node_id, runtime_id, name, image, image_digest, runtime, namespace, pod, privileged, state,
            facts, first_seen, seen_at)
          SELECT 1, id, 'c', 'c', 'shop:1', 'sha256:a', 'containerd', '', '', false, 'running', '{}', now(), now() FROM node`.execute(
          at,
        ),
    ),
  );
  await db.destroy();
  const newer = await openStore(url);
  try {
    const { rows } = await newer.tenant(1, (at) => sql`SELECT digest FROM running_image`.execute(at));
    expect(rows).toEqual([{ digest: "sha256:a" }]);
    const open =
      await sql`SELECT relname FROM pg_class WHERE relkind = 'r' AND relrowsecurity AND NOT relforcerowsecurity`.execute(
        newer.system,
      );
    expect(open.rows).toEqual([]);
  } finally {
    await newer.close();
  }
});

test("days are those of UTC, whatever the server's time zone is", async () => {
  expect(postgres.query("SHOW timezone")).toBe("Asia/Shanghai");
  const { rows } = await store.pool.query("SELECT '2026-06-01T20:00:00Z'::timestamptz::date::text AS day");
  expect(rows).toEqual([{ day: "2026-06-01" }]);
});

test("connections that the server cuts are made again", async () => {
  postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bulwark'");
  await until("an answer", async () => (await server.send("GET", "/overview")).status === 200);
});
