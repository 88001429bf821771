import { buildForest, CLAIMS } from "@bulwark/lineage";
import { rebuildForest } from "@bulwark/store";
import { changeImage, smallEstates, type TestImage } from "@bulwark/store/testing";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestApp, type TestAccount, type TestApp } from "../testing/test-app.ts";
import { growWhole } from "./grow.ts";
import { measureTenant } from "./keep-forest.ts";

let server: TestApp;
let security: TestAccount;
beforeAll(async () => {
  server = await openTestApp();
  security = await server.account("security");
});
afterAll(() => server.close());

async function push(tenantId: number, estate: readonly TestImage[]): Promise<void> {
  for (const [number, image] of estate.entries()) {
    await server.store.tenant(tenantId, (db) => changeImage(db, number, image));
  }
}

const ask = async (url: string) => {
  const answer = await server.app.inject({ method: "GET", url: `/api/v1${url}`, headers: security.bearer });
  return { status: answer.statusCode, body: answer.json() };
};

/** @returns whether the forest that was kept differed */
async function rebuild(tenantId: number): Promise<boolean> {
  const { differed } = await rebuildForest(server.store, tenantId, CLAIMS, (columns) => ({
    forest: buildForest(columns.chains, columns.images),
    risks: [],
    result: undefined,
  }));
  return differed;
}

test("the forest that grew is the one that is built from the whole estate", async () => {
  await fc.assert(
    fc.asyncProperty(smallEstates, async (estate) => {
      const tenantId = await server.tenant();
      await push(tenantId, estate);
      await growWhole(server.store, tenantId);
      expect(await rebuild(tenantId)).toBe(false);
    }),
    { numRuns: 60 },
  );
});

test("whatever a kept forest says wrongly of a node is noticed when it is built anew, and mended", async () => {
  const tenantId = await server.tenant();
  await push(tenantId, [
    { layers: ["os"], repository: "debian", isGone: false },
    { layers: ["os", "shop"], repository: "shop", isGone: false },
    { layers: ["flat"], repository: "flat", declares: 1, isGone: false },
  ]);
  await growWhole(server.store, tenantId);
  const wrongs = [
    { live: 0 },
    { images: 2 },
    { several: true, repository_id: null },
    { repository_id: 999_999 },
    { claim: "cyclic" },
    { declared_id: 999_999 },
  ] as const;
  for (const wrong of wrongs) {
    await server.store.tenant(tenantId, (db) =>
      db.updateTable("lineage_node").set(wrong).where("claim", "=", "used").execute(),
    );
    expect([wrong, await rebuild(tenantId)]).toEqual([wrong, true]);
    expect(await rebuild(tenantId)).toBe(false);
  }
});

test("a forest whose registry was removed and added again is the one that is built", async () => {
  const tenantId = await server.tenant();
  const estate = [
    { layers: ["os", "a"], repository: "one", isGone: false },
    { layers: ["os", "b"], repository: "one", isGone: false },
  ];
  await push(tenantId, estate);
  await growWhole(server.store, tenantId);
  await server.store.tenant(tenantId, (db) => db.deleteFrom("registry").execute());
  await push(tenantId, estate);
  await growWhole(server.store, tenantId);
  expect(await rebuild(tenantId)).toBe(false);
});

test("nodes, paths, spread and plans are told", async () => {
  const estate = [
    { layers: ["os"], repository: "debian", isGone: false },
    { layers: ["os", "java"], repository: "platform", isGone: false },
    { layers: ["os", "java", "shop"], repository: "shop", isGone: false },
    { layers: ["os", "java", "till"], repository: "till", isGone: false },
    { layers: ["flat"], repository: "flat", declares: 1, isGone: false },
  ];
  await push(1, estate);
  await growWhole(server.store, 1);
  await measureTenant({ store: server.store, clock: () => server.clock.now }, 1);
  const roots = await ask("/lineage/nodes");
  expect(roots.body.items).toMatchObject([{ kind: "known", beneath: 4, children: 1, repository: null }]);
  const [debian] = roots.body.items;
  const node = await ask(`/lineage/nodes/${debian.id}`);
  expect(node.body).toMatchObject({ standing: { images: 4, repositories: 4 }, path: [{ id: debian.id }] });
  const standing = await ask(`/lineage/nodes/${debian.id}/images?limit=2`);
  expect(standing.body.items).toHaveLength(2);
  expect(standing.body.next).toBeTypeOf("string");
  const spread = await ask("/lineage/spread");
  expect(spread.body).toMatchObject({
    images: 5,
    standing: 4,
    roots: 1,
    bases: 2,
    topRoots: [{ id: debian.id, images: 4 }],
  });
  const plan = await ask("/lineage/plan?share=0.5");
  expect(plan).toMatchObject({ status: 200, body: { total: 0, steps: [] } });
  const csv = await server.app.inject({ method: "GET", url: "/api/v1/lineage/spread.csv", headers: security.bearer });
  expect(csv.body.split("\r\n")).toContain("root,1,4,1.0000");
});
