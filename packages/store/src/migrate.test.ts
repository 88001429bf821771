import { Kysely, PostgresDialect, sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "./migrate.ts";
import { MIGRATIONS } from "./migrations/index.ts";
import { openPool } from "./open-pool.ts";
import { connectionOf, openStore } from "./open-store.ts";
import type { Database } from "./schema.ts";
import { openTestStore, type TestStore } from "./testing/test-store.ts";

let opened: TestStore;
beforeAll(async () => {
  opened = await openTestStore();
});
afterAll(() => opened.close());

/** A database of its own in the same server. */
async function withDatabase<Result>(name: string, work: (url: string, db: Kysely<Database>) => Promise<Result>) {
  await opened.postgres.query(`CREATE DATABASE ${name}`);
  const url = opened.postgres.url.replace("dbname=postgres", `dbname=${name}`);
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool: openPool(connectionOf(url)) }) });
  try {
    return await work(url, db);
  } finally {
    await db.destroy();
  }
}

/** The schema, as far as queries can tell. */
async function shapeOf(db: Kysely<Database>): Promise<readonly string[]> {
  const { rows } = await sql<{ line: string }>`
    SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS line
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'kysely%' ORDER BY 1`.execute(
    db,
  );
  return rows.map(({ line }) => line);
}

const STEPS = MIGRATIONS.map(({ name }) => name);

test("names of the steps are in order and each is used once", () => {
  expect(STEPS).toEqual([...new Set(STEPS)].sort());
});

test.each(STEPS.map((name, index) => ({ name, index })))(
  "a database of step $name becomes one of today, and keeps its rows",
  async ({ name, index }) => {
    await withDatabase(`from_${index}`, async (_url, db) => {
      await migrate(db, name);
      await db.insertInto("tenant").values({ name: "kept" }).execute();
      await migrate(db);
      expect(await shapeOf(db)).toEqual(await shapeOf(opened.store.system));
      expect((await db.selectFrom("tenant").select("name").orderBy("id").execute()).at(-1)).toEqual({ name: "kept" });
    });
  },
);

test("two servers that start at once do each step once", async () => {
  await withDatabase("together", async (url) => {
    const stores = await Promise.all([openStore(url), openStore(url), openStore(url)]);
    const { rows } = await stores[0]!.pool.query("SELECT count(*) AS tenants FROM tenant");
    expect(rows).toEqual([{ tenants: 1 }]);
    await Promise.all(stores.map((store) => store.close()));
  });
});

test("a database that a later release changed is left alone", async () => {
  await withDatabase("newer", async (url, db) => {
    await migrate(db);
    await sql`INSERT INTO kysely_migration (name, timestamp) VALUES ('9999-later', '')`.execute(db);
    await expect(openStore(url)).rejects.toMatchObject({ code: "SCHEMA_NEWER" });
  });
});

test("a server that is not there is told with what to do", async () => {
  const url = "postgresql://nobody@127.0.0.1:1/none";
  await expect(openStore(url)).rejects.toMatchObject({
    code: "STORE_UNREACHABLE",
    next: expect.stringContaining("DATABASE_URL"),
  });
});
