import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { getAlert, listAlerts } from "../alerts/alerts.ts";
import { raiseAlerts } from "../alerts/raise-alerts.ts";
import { addNode } from "../nodes/nodes.ts";
import { openStore, type Store } from "../open-store.ts";
import { makeRuntimeDays } from "../runtime/runtime-days.ts";
import { writeBatches } from "../runtime/write-batches.ts";
import { openTestStore, type TestStore } from "../testing/test-store.ts";
import { readBackup } from "./read-backup.ts";
import { backedTables } from "./tables.ts";
import { writeBackup } from "./write-backup.ts";

const directory = mkdtempSync(join(tmpdir(), "bulwark-backup-"));
const file = join(directory, "all.zst");
const extra = { "master-keys.json": '{"version":1}' };
const now = new Date("2026-06-01T08:00:00Z");
/** What COPY has to escape, and what readers of lines trip over. */
const HOSTILE = 'tab\t newline\n carriage\r backslash \\ end \\. null-like \\N quote " unicode \u2028 名';
let opened: TestStore;
let databases = 0;

beforeAll(async () => {
  opened = await openTestStore();
  await opened.store.system.insertInto("tenant").values({ name: "second" }).execute();
  for (const tenant of [1, 2]) {
    await opened.store.tenant(tenant, async (db) => {
      await db
        .insertInto("owner")
        .values({ tenant_id: tenant, name: `${HOSTILE}${tenant}` })
        .execute();
      const place = { tenant_id: tenant, name: "hub", kind: "oci", address: "registry.example.org" } as const;
      await db
        .insertInto("registry")
        .values({ ...place, secret: Buffer.from([0, 255, 10, 92]) })
        .execute();
      const layer = { tenant_id: tenant, diff_id: "sha256:a", digest: "sha256:b", size_bytes: 3 };
      const made = await db
        .insertInto("layer")
        .values({ ...layer, report: Buffer.from("\\.\n") })
        .returning("id")
        .executeTakeFirstOrThrow();
      for (const [depth, digest] of ["one", "two"].entries()) {
        const parent = await db.selectFrom("chain").select("id").executeTakeFirst();
        const chain = { tenant_id: tenant, digest, layer_id: made.id, depth, analyzers: "" };
        await db
          .insertInto("chain")
          .values({ ...chain, parent_id: parent?.id ?? null })
          .execute();
      }
    });
  }
  await makeRuntimeDays(opened.store, now);
  await opened.store.tenant(1, async (db) => {
    const node = { uid: "n", hostname: "n", facts: {}, sensorVersion: "", certificateSerial: "1", now };
    const nodeId = await addNode(db, node);
    // Of which the database itself notes that it is to be assessed.
    await db
      .insertInto("image")
      .values({ tenant_id: 1, digest: `sha256:${"a".repeat(64)}`, state: "scanned" })
      .execute();
    const event = {
      timeUs: now.getTime() * 1_000,
      type: 1,
      count: 1,
      container: "c",
      pid: 7,
      name: "sh",
      exe: "/bin/sh",
    };
    const rows = [{ ...event, arguments: "", target: "", port: 0, result: 0 }];
    const batch = { nodeId, epoch: "e", sequence: 1, content: Buffer.from("batch"), events: rows, losses: [] };
    const [written] = await writeBatches(db, [batch], now);
    await raiseAlerts(db, [
      {
        ...{
          foldKey: "k",
          rule: "r",
          title: HOSTILE,
          severity: "high",
          tags: [],
          nodeId,
          container: "c",
          containerName: "",
        },
        ...{
          image: "",
          imageDigest: "",
          namespace: "",
          pod: "",
          process: "",
          exe: "",
          pid: 7,
          processStart: 1,
          at: now,
        },
        ...{ count: 1, blocked: false, facts: {}, batchId: written!.batchId + 40, position: 0 },
      },
    ]);
  });
  await writeBackup(opened.store, file, { extra, now });
});
afterAll(async () => {
  await opened.close();
  rmSync(directory, { recursive: true, force: true });
});

async function emptyDatabase(): Promise<string> {
  const name = `restored_${databases++}`;
  await opened.postgres.query(`CREATE DATABASE ${name}`);
  return opened.postgres.url.replace("dbname=postgres", `dbname=${name}`);
}

async function contentOf(store: Store): Promise<unknown> {
  const tables = await backedTables(store.system);
  const content: Record<string, unknown> = {};
  for (const { name, byTenant } of tables) {
    for (const tenant of byTenant ? [1, 2] : [0]) {
      const rows = await store.tenant(tenant, (db) =>
        db
          .selectFrom(name as "owner")
          .selectAll()
          .execute(),
      );
      // Numbers of transactions are another database's own.
      const plain = (key: string, value: unknown) => (key === "changed_xid" ? undefined : value);
      content[`${name} ${tenant}`] = rows.map((row) => JSON.stringify(row, plain)).sort();
    }
  }
  return content;
}

test("a backup restored elsewhere holds every row of every tenant, byte by byte", async () => {
  const url = await emptyDatabase();
  const head = await readBackup(url, file);
  expect(head).toMatchObject({ made: now.toISOString(), extra });
  const store = await openStore(url);
  try {
    expect(await contentOf(store)).toEqual(await contentOf(opened.store));
    const names = await store.tenant(2, (db) => db.selectFrom("owner").select("name").execute());
    expect(names).toEqual([{ name: `${HOSTILE}2` }]);
    // An alert's event is not taken for one that comes later.
    const [alert] = await store.tenant(1, (db) => listAlerts(db, { limit: 1 }));
    const told = await store.tenant(1, (db) => getAlert(db, alert?.id ?? 0));
    const { rows } = await store.pool.query("SELECT nextval('runtime_batch_seq') AS id");
    expect(rows[0].id).toBeGreaterThan(told?.batchId ?? Number.POSITIVE_INFINITY);
    // Row-level security is back, and new rows do not meet old ids.
    const write = store.tenant(2, (db) => db.insertInto("owner").values({ tenant_id: 1, name: "intruder" }).execute());
    await expect(write).rejects.toThrow(/row-level security/);
    await store.tenant(1, (db) => db.insertInto("owner").values({ tenant_id: 1, name: "new" }).execute());
  } finally {
    await store.close();
  }
});

test("nothing is restored over what is there", async () => {
  await expect(readBackup(opened.postgres.url, file)).rejects.toMatchObject({ code: "STORE_IN_USE" });
});

test.each([
  ["cut short", () => readFileSync(file).subarray(0, readFileSync(file).length - 40)],
  ["of another kind", () => zstdCompressSync("{}\n")],
  ["no compressed file at all", () => Buffer.from("hello")],
])("a backup that is %s leaves the database empty", async (_name, bytes) => {
  const broken = join(directory, "broken.zst");
  writeFileSync(broken, bytes());
  const url = await emptyDatabase();
  await expect(readBackup(url, broken)).rejects.toMatchObject({ code: expect.stringMatching(/./), name: "CodedError" });
  truncateSync(broken, 0);
  const store = await openStore(url);
  expect(await store.tenant(1, (db) => db.selectFrom("owner").selectAll().execute())).toEqual([]);
  await store.close();
});
