import fc from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openTestStore, type TestStore } from "../testing/test-store.ts";
import { growForest } from "./grow-forest.ts";
import { changeImage, smallEstates, type TestImage } from "./testing/small-estate.ts";

let opened: TestStore;
let tenants = 0;
beforeAll(async () => {
  opened = await openTestStore();
});
afterAll(() => opened.close());

interface Told {
  readonly chain: string;
  readonly parent: string | null;
  readonly live: number;
  readonly beneath: number;
  readonly several: boolean;
  readonly claim: string;
}

/** The forest as its definition tells it, every chain compared with every image. */
function reference(images: readonly TestImage[]): readonly Told[] {
  const key = (of: readonly string[]) => of.join("");
  const tops = new Set(images.map((image) => key(image.layers)));
  const chains = new Set(images.flatMap((image) => image.layers.map((_, at) => key(image.layers.slice(0, at + 1)))));
  const isUnder = (low: string, high: string) => high.startsWith(low);
  const above = (chain: string) => images.filter((image) => isUnder(chain, key(image.layers)));
  const branches = (chain: string) => new Set(above(chain).map((image) => key(image.layers)[chain.length] ?? ""));
  const parts = (chain: string) => [...branches(chain)].filter((next) => next !== "").length > 1;
  const nodes = [...chains].filter((chain) => tops.has(chain) || parts(chain));
  const several = (chain: string) => new Set(above(chain).map(({ repository }) => repository)).size > 1;
  const isBase = (chain: string) => tops.has(chain) || several(chain);
  const under = (chain: string) =>
    nodes.filter((low) => low !== chain && isUnder(low, chain)).sort((a, b) => b.length - a.length);
  const target = (chain: string) => {
    const declared = images.flatMap((image) =>
      key(image.layers) === chain && image.declares !== undefined ? [images[image.declares]] : [],
    );
    const known = declared.find((image) => image !== undefined);
    if (known !== undefined) return key(known.layers);
    return declared.length === 0 ? undefined : null;
  };
  const follows = (chain: string) => {
    const to = target(chain);
    const free = !under(chain).some(isBase);
    return tops.has(chain) && typeof to === "string" && !isUnder(to, chain) && free ? to : undefined;
  };
  const lower = (chain: string) => follows(chain) ?? under(chain)[0];
  const isCyclic = (chain: string) => {
    if (follows(chain) === undefined) return false;
    const seen = new Set<string>();
    for (let at = lower(chain); at !== undefined && !seen.has(at); at = lower(at)) {
      if (at === chain) return true;
      seen.add(at);
    }
    return false;
  };
  const claim = (chain: string) => {
    const to = target(chain);
    if (to === undefined) return "none";
    if (to === null) return "unresolved";
    if (isUnder(to, chain)) return "agrees";
    if (under(chain).some(isBase)) return "contradicted";
    return isCyclic(chain) ? "cyclic" : "used";
  };
  const standsOn = (chain: string) => (claim(chain) === "used" ? follows(chain) : under(chain)[0]);
  const live = (chain: string) => images.filter((image) => key(image.layers) === chain && !image.isGone).length;
  const beneath = new Map(nodes.map((chain) => [chain, 0]));
  for (const chain of nodes) {
    for (let at = standsOn(chain); at !== undefined; at = standsOn(at))
      beneath.set(at, (beneath.get(at) ?? 0) + live(chain));
  }
  return nodes
    .map((chain) => ({
      chain,
      parent: under(chain)[0] ?? null,
      live: live(chain),
      beneath: beneath.get(chain) ?? 0,
      several: several(chain),
      claim: claim(chain),
    }))
    .sort((a, b) => (a.chain < b.chain ? -1 : 1));
}

async function forestOf(tenant: number): Promise<readonly Told[]> {
  const { rows } = await opened.store.tenant(tenant, (db) =>
    sql<Told>`SELECT c.digest AS chain, p.digest AS parent, n.live, n.beneath, n.several, n.claim FROM lineage_node n
      JOIN chain c ON c.id = n.chain_id LEFT JOIN chain p ON p.id = n.parent_id ORDER BY c.digest COLLATE "C"`.execute(
      db,
    ),
  );
  return rows;
}

/** @param batch changes of one round */
async function grow(tenant: number, batch?: number): Promise<void> {
  let rounds = 0;
  while (await opened.store.tenant(tenant, (db) => growForest(db, batch)))
    if (rounds++ > 1_000) throw new Error("growing does not end");
}

/** Estates, and how they came: growth pauses anywhere, also in the middle of what waits. */
const histories = fc.record({
  images: smallEstates,
  pauses: fc.infiniteStream(fc.nat(3)),
  seed: fc.nat(1_000),
  batch: fc.constantFrom(1, 2, 3, 200),
});

test("a forest grown push by push is the one its definition tells, in whatever order", async () => {
  await fc.assert(
    fc.asyncProperty(histories, async ({ images, pauses, seed, batch }) => {
      const tenant = await newTenant();
      /** Now and then, and now and then no further than one round: the next image comes before the forest is up to date. */
      const pause = async () => {
        const next = pauses.next().value;
        if (next === 0) await grow(tenant, batch);
        if (next === 1) await opened.store.tenant(tenant, (db) => growForest(db, batch));
      };
      const order = images
        .map((_, index) => index)
        .sort((a, b) => ((a * 7919 + seed) % 101) - ((b * 7919 + seed) % 101));
      for (const at of order) {
        const image = images[at];
        if (image === undefined) continue;
        await opened.store.tenant(tenant, (db) => changeImage(db, at, { ...image, isGone: false }));
        await pause();
      }
      for (const at of order) {
        const image = images[at];
        if (image?.isGone !== true) continue;
        await opened.store.tenant(tenant, (db) => changeImage(db, at, image));
        await pause();
      }
      await grow(tenant, batch);
      expect(await forestOf(tenant)).toEqual(reference(images));
    }),
    { numRuns: 150 },
  );
});

test("a base that comes beneath declarations which lead in a circle, and leads to them itself, ends", async () => {
  const tenant = await newTenant();
  const image = (name: string, declares: number) => ({
    ...{ layers: [...name], repository: "one", declares, isGone: false },
  });
  const images = [image("ab", 1), image("c", 0), image("b", 0), image("a", 2)];
  for (const [at, each] of images.entries()) {
    await opened.store.tenant(tenant, (db) => changeImage(db, at, each));
    await grow(tenant);
  }
  expect(await forestOf(tenant)).toEqual(reference(images));
});

test("what a base that is not there yet was declared by stands on it once it comes", async () => {
  const tenant = await newTenant();
  const image = (name: string, declares?: number): TestImage => ({
    ...{ layers: [name], repository: "one", declares, isGone: false },
  });
  const images = [image("a", 1), image("b")];
  // The base is known as an image when its child is looked at, and its own turn comes a round later.
  for (const [at, each] of images.entries()) await opened.store.tenant(tenant, (db) => changeImage(db, at, each));
  await grow(tenant, 1);
  expect(await forestOf(tenant)).toMatchObject([
    { chain: "a", claim: "used" },
    { chain: "b", beneath: 1 },
  ]);
});

test("a repository that was removed and added again is one repository", async () => {
  const tenant = await newTenant();
  const images: readonly TestImage[] = [
    { layers: ["a", "b"], repository: "one", isGone: false },
    { layers: ["a", "c"], repository: "one", isGone: false },
  ];
  const push = async () => {
    for (const [at, each] of images.entries()) await opened.store.tenant(tenant, (db) => changeImage(db, at, each));
    await grow(tenant);
  };
  await push();
  await opened.store.tenant(tenant, (db) => db.deleteFrom("registry").execute());
  await push();
  expect(await forestOf(tenant)).toEqual(reference(images));
});

async function newTenant(): Promise<number> {
  const row = await opened.store.system
    .insertInto("tenant")
    .values({ name: `estate-${tenants++}` })
    .returning("id")
    .executeTakeFirstOrThrow();
  return row.id;
}
