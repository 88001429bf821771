import { sql } from "kysely";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPool } from "../open-pool.ts";
import { connectionOf } from "../open-store.ts";
import { openTestStore, type TestStore } from "../testing/test-store.ts";
import { appendAudit, listAudit } from "./audit.ts";
import { canonicalJson, type Plain } from "./canonical-json.ts";
import { verifyAudit } from "./verify-audit.ts";

let opened: TestStore;
let owner: pg.Pool;
beforeAll(async () => {
  opened = await openTestStore();
  owner = openPool({ ...connectionOf(opened.postgres.url), max: 1 });
});
afterAll(async () => {
  await owner.end();
  await opened.close();
});

async function freshTenant(entries: number): Promise<number> {
  const { rows } = await owner.query("INSERT INTO tenant (name) VALUES (gen_random_uuid()::text) RETURNING id");
  const tenantId: number = rows[0].id;
  for (let i = 1; i <= entries; i++) await append(tenantId, `thing/${i}`);
  return tenantId;
}

function append(
  tenantId: number,
  subject: string,
  detail: Readonly<Record<string, Plain>> = { name: "名前 \u{1f512}" },
) {
  return opened.store.tenant(tenantId, (db) =>
    appendAudit(db, {
      tenantId,
      at: new Date("2026-03-01T12:00:00.123Z"),
      actor: "ada",
      actorId: 1,
      action: "thing.change",
      subject,
      detail,
      address: "192.0.2.1",
      requestId: "r",
    }),
  );
}

/** What only somebody with the database's own password could do. */
async function tamper(tenantId: number, statement: string): Promise<void> {
  const client = await owner.connect();
  try {
    await client.query("BEGIN");
    await client.query("SELECT set_config('bulwark.tenant', $1, true)", [String(tenantId)]);
    await client.query("ALTER TABLE audit DISABLE TRIGGER ALL");
    await client.query(statement);
    await client.query("ALTER TABLE audit ENABLE TRIGGER ALL");
    await client.query("COMMIT");
  } finally {
    client.release();
  }
}

test("a chain that nobody touched is intact, one of each tenant", async () => {
  const [one, other] = [await freshTenant(3), await freshTenant(0)];
  expect(await verifyAudit(opened.store, one)).toMatchObject({ entries: 3, intact: true, head: { entry: 3 } });
  expect(await verifyAudit(opened.store, other)).toEqual({ entries: 0, intact: true, head: { entry: 0, hash: "" } });
});

test("numbers, nested values and every script survive the way through the database", async () => {
  const tenantId = await freshTenant(0);
  await append(tenantId, "thing/1", { b: 1.5, a: [1e21, -0, 1e-7, true, null], ключ: { z: '"\\\n\u2028', a: "" } });
  expect(await verifyAudit(opened.store, tenantId)).toMatchObject({ intact: true });
});

test("writers at the same time make one chain without gaps", async () => {
  const tenantId = await freshTenant(0);
  await Promise.all(Array.from({ length: 24 }, (_, i) => append(tenantId, `thing/${i}`)));
  const entries = await opened.store.tenant(tenantId, (db) => listAudit(db, { limit: 100 }));
  expect(entries.map(({ entry }) => entry)).toEqual(Array.from({ length: 24 }, (_, i) => 24 - i));
  expect(await verifyAudit(opened.store, tenantId)).toMatchObject({ entries: 24, intact: true });
});

test("an entry lives and dies with the change that it tells of", async () => {
  const tenantId = await freshTenant(1);
  const failed = opened.store.tenant(tenantId, async (db) => {
    const entry = { tenantId, at: new Date(), actor: "a", actorId: null, action: "x.y", subject: "x" };
    await appendAudit(db, { ...entry, detail: {}, address: "", requestId: "" });
    throw new Error("the change failed");
  });
  await expect(failed).rejects.toThrow("the change failed");
  expect(await verifyAudit(opened.store, tenantId)).toMatchObject({ entries: 1, intact: true });
});

test("the server's role can neither change, delete nor empty the log, and the database's owner is stopped too", async () => {
  const tenantId = await freshTenant(2);
  for (const statement of ["UPDATE audit SET actor = 'eve'", "DELETE FROM audit", "TRUNCATE audit"]) {
    const asServer = opened.store.tenant(tenantId, (db) => sql.raw(statement).execute(db));
    await expect(asServer).rejects.toMatchObject({ code: "42501" });
    await expect(owner.query(statement)).rejects.toMatchObject({ code: "42501" });
  }
});

test.each([
  ["changes an entry", "UPDATE audit SET actor = 'eve' WHERE tenant_id = $t AND entry = 2", 2],
  ["changes a detail", `UPDATE audit SET detail = '{"name":"x"}' WHERE tenant_id = $t AND entry = 3`, 3],
  ["removes one in the middle", "DELETE FROM audit WHERE tenant_id = $t AND entry = 2", 2],
  ["removes the first", "DELETE FROM audit WHERE tenant_id = $t AND entry = 1", 1],
  ["removes the newest", "DELETE FROM audit WHERE tenant_id = $t AND entry = 4", 4],
  ["removes the newest and moves the head", "UPDATE audit_head SET entries = 3 WHERE tenant_id = $t", 3],
])("it shows when somebody %s", async (_what, statement, brokenAt) => {
  const tenantId = await freshTenant(4);
  await tamper(tenantId, statement.replace("$t", String(tenantId)));
  expect(await verifyAudit(opened.store, tenantId)).toMatchObject({ intact: false, brokenAt });
});

test("a log written anew as a whole shows against a mark that was noted outside", async () => {
  const tenantId = await freshTenant(3);
  const { head } = await verifyAudit(opened.store, tenantId);
  await append(tenantId, "thing/4");
  expect(await verifyAudit(opened.store, tenantId, head)).toMatchObject({ entries: 4, intact: true });
  await tamper(
    tenantId,
    `DELETE FROM audit WHERE tenant_id = ${tenantId}; DELETE FROM audit_head WHERE tenant_id = ${tenantId}`,
  );
  expect(await verifyAudit(opened.store, tenantId, head)).toMatchObject({ intact: false, brokenAt: 1 });
  for (let i = 1; i <= 3; i++) await append(tenantId, `forged/${i}`);
  expect(await verifyAudit(opened.store, tenantId)).toMatchObject({ intact: true });
  expect(await verifyAudit(opened.store, tenantId, head)).toMatchObject({ intact: false, brokenAt: 3 });
});

test("canonical JSON does not depend on the order of members", () => {
  expect(canonicalJson({ b: [{ d: 1, c: undefined }], a: "\u20ac" })).toBe('{"a":"€","b":[{"d":1}]}');
});
