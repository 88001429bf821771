import { EMPTY_CONTAINER } from "@bulwark/model";
import fc from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { containersOn } from "../lineage/nodes.ts";
import type { TenantQueries } from "../open-store.ts";
import { changeImage, openTestStore, type TestStore } from "../testing/test-store.ts";
import { dropStoppedContainers, recordContainers, stopContainers } from "./inventory.ts";
import { addNode } from "./nodes.ts";

let opened: TestStore;
let node: number;
beforeAll(async () => {
  opened = await openTestStore();
  const made = { uid: "n", hostname: "n", facts: {}, sensorVersion: "1", certificateSerial: "1", now: new Date() };
  node = await tenant((db) => addNode(db, made));
});
afterAll(() => opened.close());

const tenant = <Result>(work: (db: TenantQueries) => Promise<Result>) => opened.store.tenant(1, work);
const day = (number: number) => new Date(Date.UTC(2026, 0, number));

const start = (db: TenantQueries, id: string, imageDigest: string, at = day(1)) =>
  recordContainers(
    db,
    node,
    [{ ...EMPTY_CONTAINER, id, imageDigest, image: "shop:1", state: "running", arguments: [] }],
    at,
  );

/** The layers of the images of these tests: the base is `a`. */
const LAYERS = ["a", "ab", "ac", "b"] as const;
const NAMES = ["sha256:0", "sha256:1", "sha256:2", "sha256:3", "sha256:index", "sha256:tag", ""] as const;

type Deed =
  | { readonly does: "start"; readonly id: string; readonly name: string }
  | { readonly does: "stop"; readonly id: string }
  | { readonly does: "push" | "index" | "tag"; readonly image: number };

const image = fc.nat(LAYERS.length - 1);
const id = fc.constantFrom("x", "y", "z");
const deeds = fc.array(
  fc.oneof(
    fc.record({ does: fc.constant("start" as const), id, name: fc.constantFrom(...NAMES) }),
    fc.record({ does: fc.constant("stop" as const), id }),
    fc.record({ does: fc.constantFrom("push" as const, "index" as const, "tag" as const), image }),
  ),
  { minLength: 1, maxLength: 14 },
);

async function done(db: TenantQueries, deed: Deed): Promise<void> {
  if (deed.does === "start") return start(db, deed.id, deed.name);
  if (deed.does === "stop") return stopContainers(db, node, [deed.id], day(2));
  await changeImage(db, deed.image, { layers: [...LAYERS[deed.image]!], repository: "r", isGone: false });
  const of = sql`(SELECT id FROM image WHERE digest = ${`sha256:${deed.image}`})`;
  if (deed.does === "index")
    await sql`INSERT INTO index_image (tenant_id, digest, image_id) VALUES (1, 'sha256:index', ${of}) ON CONFLICT DO NOTHING`.execute(
      db,
    );
  if (deed.does === "tag") {
    await sql`INSERT INTO tag (tenant_id, repository_id, name, digest, moved_at)
      SELECT 1, id, 'latest', 'sha256:tag', now() FROM repository LIMIT 1 ON CONFLICT DO NOTHING`.execute(db);
    await sql`INSERT INTO tag_image (tenant_id, tag_id, image_id) SELECT 1, id, ${of} FROM tag ON CONFLICT DO NOTHING`.execute(
      db,
    );
  }
}

/** Containers on the base, each looked at by itself. */
function reference(all: readonly Deed[]): number {
  const running = new Map<string, string>();
  const named = new Map<string, Set<number>>();
  const name = (digest: string, number: number) => named.set(digest, (named.get(digest) ?? new Set()).add(number));
  for (const deed of all) {
    if (deed.does === "start") running.set(deed.id, deed.name);
    else if (deed.does === "stop") running.delete(deed.id);
    else {
      name(`sha256:${deed.image}`, deed.image);
      if (deed.does !== "push") name(`sha256:${deed.does}`, deed.image);
    }
  }
  return [...running.values()].filter((digest) =>
    [...(named.get(digest) ?? [])].some((number) => LAYERS[number]!.startsWith("a")),
  ).length;
}

test("containers on a base are those whose digest means an image on it, whatever came first", async () => {
  await fc.assert(
    fc.asyncProperty(deeds, async (all) => {
      await opened.postgres.query("TRUNCATE container, image, index_image, tag, chain, layer, registry CASCADE");
      const counted = await tenant(async (db) => {
        for (const deed of all) await done(db, deed);
        const { rows } = await sql<{ id: number }>`SELECT id FROM chain WHERE digest = 'a'`.execute(db);
        return rows[0] === undefined ? 0 : containersOn(db, rows[0].id);
      });
      expect(counted).toBe(reference(all));
    }),
    { numRuns: 150 },
  );
});

test("of what ended long ago the last container of each image stays, and of what runs everything", async () => {
  await opened.postgres.query("TRUNCATE container CASCADE");
  const left = await tenant(async (db) => {
    for (const [id, digest] of Object.entries({ a1: "a", a2: "a", a3: "a", b1: "b", c1: "c", c2: "c" }))
      await start(db, id, digest);
    for (const [number, id] of ["a2", "a1", "b1", "c1"].entries())
      await stopContainers(db, node, [id], day(3 + number));
    await stopContainers(db, node, ["a3"], day(2));
    const once = await dropStoppedContainers(db, day(20), 2);
    const again = await dropStoppedContainers(db, day(20), 2);
    const { rows } = await sql<{ id: string }>`SELECT runtime_id AS id FROM container ORDER BY 1`.execute(db);
    return [once, again, ...rows.map(({ id }) => id)];
  });
  expect(left).toEqual([2, 1, "a1", "b1", "c2"]);
});

test("what ended lately stays", async () => {
  const dropped = await tenant(async (db) => {
    for (const id of ["d1", "d2"]) await start(db, id, "d");
    await stopContainers(db, node, ["d1"], day(10));
    return dropStoppedContainers(db, day(10), 10);
  });
  expect(dropped).toBe(0);
});
