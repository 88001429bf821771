import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestStore, type TestStore } from "./testing/test-store.ts";

let opened: TestStore;
beforeAll(async () => {
  opened = await openTestStore();
  await opened.store.system.insertInto("tenant").values({ name: "other" }).execute();
});
afterAll(() => opened.close());

test("what one tenant writes does not exist for another, nor for who names none", async () => {
  const { store } = opened;
  await store.tenant(1, (db) => db.insertInto("owner").values({ tenant_id: 1, name: "payments" }).execute());
  const names = (tenant: number) => store.tenant(tenant, (db) => db.selectFrom("owner").select("name").execute());
  expect(await names(1)).toEqual([{ name: "payments" }]);
  expect(await names(2)).toEqual([]);
  expect(await store.system.selectFrom("owner").select("name").execute()).toEqual([]);
});

test("a row cannot be written into another tenant", async () => {
  const { store } = opened;
  const write = store.tenant(2, (db) => db.insertInto("owner").values({ tenant_id: 1, name: "intruder" }).execute());
  await expect(write).rejects.toThrow(/row-level security/);
});

test("every table with a tenant is under row-level security, the owner included", async () => {
  const { rows } = await sql<{ name: string }>`
    SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'directory'
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity)`.execute(opened.store.system);
  expect(rows).toEqual([]);
});
