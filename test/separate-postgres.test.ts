import { chmodSync } from "node:fs";
import { join } from "node:path";
import { buildImage, temporaryDirectory, writeLayout } from "@bulwark/image/testing";
import { openStore, type Store } from "@bulwark/store";
import { afterAll, beforeAll, expect, test } from "vitest";
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

test("days are those of UTC, whatever the server's time zone is", async () => {
  expect(postgres.query("SHOW timezone")).toBe("Asia/Shanghai");
  const { rows } = await store.pool.query("SELECT '2026-06-01T20:00:00Z'::timestamptz::date::text AS day");
  expect(rows).toEqual([{ day: "2026-06-01" }]);
});

test("connections that the server cuts are made again", async () => {
  postgres.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bulwark'");
  await until("an answer", async () => (await server.send("GET", "/overview")).status === 200);
});
