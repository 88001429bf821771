import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../testing/test-store.ts";
import { imagesToAssess } from "./assessments.ts";

const RULES = "2";
const LIMIT = 3;

let opened: TestStore;
beforeAll(async () => {
  opened = await openTestStore();
  await change(sql`INSERT INTO image (tenant_id, digest, state, scanned_at)
    SELECT 1, 'sha256:' || n, 'scanned', now() FROM generate_series(1, 40) n`);
});
afterAll(() => opened.close());

const change = (statement: ReturnType<typeof sql>) => opened.store.tenant(1, (db) => statement.execute(db));

async function toAssess(): Promise<readonly string[]> {
  const { rows } = await opened.store.tenant(1, async (db) => {
    const images = await imagesToAssess(db, RULES, LIMIT);
    return sql<{ digest: string }>`SELECT digest FROM image WHERE id = ANY(${images}::bigint[]) ORDER BY id`.execute(
      db,
    );
  });
  return rows.map(({ digest }) => digest);
}

test("images that are gone do not keep others from being assessed, and are assessed when they are back", async () => {
  await change(sql`UPDATE image SET state = 'gone' WHERE digest <> 'sha256:1'`);
  expect(await toAssess()).toEqual(["sha256:1"]);
  await change(sql`UPDATE image SET state = 'scanned' WHERE digest = 'sha256:7'`);
  expect(await toAssess()).toEqual(["sha256:1", "sha256:7"]);
});

test("images that are gone and were assessed by other rules keep none waiting either", async () => {
  await change(sql`UPDATE image SET state = 'scanned'`);
  await change(
    sql`UPDATE image_assessment SET stale = false, rules_version = CASE WHEN image_id % 2 = 0 THEN '1' ELSE '3' END`,
  );
  await change(sql`UPDATE image SET state = 'gone' WHERE digest <> 'sha256:40'`);
  expect(await toAssess()).toEqual(["sha256:40"]);
});
