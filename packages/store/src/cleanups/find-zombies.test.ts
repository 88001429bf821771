import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { addCluster } from "../clusters/clusters.ts";
import { keepPods } from "../clusters/pods.ts";
import type { TenantQueries } from "../open-store.ts";
import { recordRepository } from "../registries/contents.ts";
import { addRegistry } from "../registries/registries.ts";
import { openTestStore, type TestStore } from "../testing/test-store.ts";
import { addHold } from "./cleanups.ts";
import { findZombies } from "./find-zombies.ts";

const NOW = new Date("2026-06-01T00:00:00Z");
const OLD = new Date("2026-01-01T00:00:00Z");

let opened: TestStore;
let registry: number;
beforeAll(async () => {
  opened = await openTestStore();
});
afterAll(() => opened.close());
beforeEach(async () => {
  registry = await inTenant(async (db) => {
    for (const table of ["container", "node", "cluster", "registry", "image"])
      await sql`DELETE FROM ${sql.table(table)}`.execute(db);
    return (await addRegistry(db, { name: "r", kind: "oci", address: "r.example", settings: {} })) ?? 0;
  });
});

const inTenant = <Result>(work: (db: TenantQueries) => Promise<Result>) => opened.store.tenant(1, work);

/** A repository whose tags came long ago: name → digest and the images behind it. */
async function push(tags: Readonly<Record<string, readonly [string, ...string[]]>>, at = OLD): Promise<number> {
  return inTenant(async (db) => {
    const changed = Object.entries(tags).map(([name, [digest, ...behind]]) => {
      const images = (behind.length === 0 ? [digest] : behind).map((image) => ({ digest: image, platform: image }));
      return { name, digest, images };
    });
    const { id } = await recordRepository(db, { registry, name: "shop", changed }, at);
    await sql`UPDATE image SET state = 'scanned' WHERE state = 'known'`.execute(db);
    return id;
  });
}

/** A container of a node runs a digest, or did so long ago. */
const run = (digest: string, image = "") =>
  inTenant(async (db) => {
    await sql`INSERT INTO node (tenant_id, uid, hostname, facts, certificate_serial, enrolled_at)
      VALUES (1, 'n', 'n', '{}', '', ${NOW}) ON CONFLICT DO NOTHING`.execute(db);
    await sql`INSERT INTO container (tenant_id, node_id, runtime_id, name, image, image_digest, runtime, namespace, pod, privileged,
        state, facts, first_seen, seen_at)
      SELECT 1, id, ${digest + image}, 'c', ${image}, ${digest}, 'containerd', '', '', false, 'running', '{}', ${NOW}, ${NOW} FROM node`.execute(
      db,
    );
  });

/** A pod of a cluster whose nodes have no sensor runs a digest. */
const runInCluster = (digest: string, image = "") =>
  inTenant(async (db) => {
    const cluster = await addCluster(db, 1, { uid: "c", name: "c", grade: null, ownerId: null, now: NOW });
    const container = { name: "c", role: "container", image, imageDigest: digest, runtimeId: "", state: "running" };
    const workload = { uid: "w", kind: "Deployment", namespace: "shop", name: "web" };
    const pod = {
      ...{ uid: "p", namespace: "shop", name: "web-1", node: "n", serviceAccount: "", phase: "Running", addresses: [] },
      ...{ hostNetwork: false, startedAt: null, workload, containers: [{ ...container, privileged: false }] },
    };
    await keepPods(db, cluster!, [pod], NOW);
  });

async function unused(only?: { readonly repositoryId: number; readonly digest: string }): Promise<readonly string[]> {
  const query = { sight: undefined, days: 30, now: NOW, limit: 100, ...(only === undefined ? {} : { only }) };
  return (await inTenant((db) => findZombies(db, query))).map(({ digest }) => digest).sort();
}

const FAMILY = { "v1-amd64": ["a"], "v1-arm64": ["x"], v1: ["index", "a", "x"] } as const;

test("a family of an index and its images is unused as a whole where nobody uses any of it", async () => {
  const repositoryId = await push(FAMILY);
  expect(await unused()).toEqual(["a", "index", "x"]);
  expect(await unused({ repositoryId, digest: "a" })).toEqual(["a"]);
});

test.each([
  ["by its index", "index", ""],
  ["by one of its images", "a", ""],
  ["by name alone", "", "r.example/shop:v1"],
])(
  "images that have tags of their own are in use while a container runs their index, %s",
  async (_how, digest, image) => {
    const repositoryId = await push(FAMILY);
    await run(digest, image);
    expect(await unused()).not.toContain("index");
    expect(await unused()).not.toContain("a");
    expect(await unused({ repositoryId, digest: "a" })).toEqual([]);
  },
);

test.each([
  ["by its index", "index", ""],
  ["by one of its images", "a", ""],
  ["by name alone", "", "r.example/shop:v1"],
])("images are in use while a pod runs them on a node without a sensor, %s", async (_how, digest, image) => {
  await push(FAMILY);
  await runInCluster(digest, image);
  expect(await unused()).not.toContain("index");
  expect(await unused()).not.toContain("a");
});

test("a container runs what its digest meant when it started, whatever its tag names by now", async () => {
  await push({ v1: ["index", "a", "x"] });
  await run("index");
  await push({ v1: ["other"], kept: ["a"] });
  expect(await unused()).toEqual(["other"]);
});

test("an image is in use while a tag that is new or held names it through an index", async () => {
  const repositoryId = await push({ old: ["a"] });
  expect(await unused()).toEqual(["a"]);
  await push({ new: ["index", "a", "x"] }, NOW);
  expect(await unused()).toEqual([]);
  expect(await unused({ repositoryId, digest: "a" })).toEqual([]);
  await push({ new: ["index-2", "x"] }, OLD);
  expect(await unused()).toEqual(["a"]);
  await push({ held: ["index-3", "a"] }, OLD);
  await inTenant((db) => addHold(db, { repositoryId, tag: "held", reason: "audit", until: null, accountId: 1 }));
  expect(await unused()).toEqual([]);
});
