import fc from "fast-check";
import { expect, test } from "vitest";
import { buildForest } from "./build-forest.ts";
import { MAX_LAYERS } from "./chain-order.ts";
import { LineageError } from "./errors.ts";
import { BASE_HOWS, CLAIMS, type Forest, NODE_KINDS } from "./forest.ts";
import { naiveForest } from "./testing/naive-forest.ts";
import { asColumns, type SmallImage, smallEstates } from "./testing/small-estate.ts";

const image = (layers: string, more: Partial<SmallImage> = {}): SmallImage => ({
  layers,
  repository: 0,
  alive: true,
  declared: -1,
  ...more,
});

/** The forest of an estate by the names of its nodes. */
function forestOf(estate: readonly SmallImage[], seed = 0) {
  const { names, chains, images } = asColumns(estate, seed);
  const forest = buildForest(chains, images);
  const name = (node: number) => (node < 0 ? "" : names[forest.chain[node]!]!);
  const nodes = new Map(
    Array.from({ length: forest.size }, (_, node) => [name(node), describe(forest, node, name)] as const),
  );
  const claims = Array.from(forest.images.claim, (claim) => CLAIMS[claim]!);
  return { forest, names, nodes, claims };
}

function describe(forest: Forest, node: number, name: (node: number) => string) {
  return {
    kind: NODE_KINDS[forest.kind[node]!]!,
    parent: name(forest.parent[node]!),
    base: name(forest.base[node]!),
    how: BASE_HOWS[forest.how[node]!]!,
    own: forest.own[node]!,
    beneath: forest.beneath[node]!,
    dependents: forest.dependents[node]!,
    level: forest.level[node]!,
    root: name(forest.root[node]!),
  };
}

const sorted = <Value>(nodes: ReadonlyMap<string, Value>) =>
  [...nodes].toSorted(([one], [other]) => (one < other ? -1 : 1));

test("ten thousand small estates give the forest that comparing all images with all others gives", () => {
  fc.assert(
    fc.property(smallEstates, fc.integer(), (estate, seed) => {
      const { nodes, claims } = forestOf(estate, seed);
      const naive = naiveForest(estate);
      const wanted = [...naive.nodes].map(([name, { beneath, dependents, level, root, ...node }]) => {
        return [name, { ...node, beneath: beneath(), dependents: dependents(), level: level(), root: root() }] as const;
      });
      expect(sorted(nodes)).toEqual(sorted(new Map(wanted)));
      expect(claims).toEqual(naive.claims);
    }),
    { numRuns: 10_000 },
  );
});

test("every image is at its own node, with the lowest layer of the node's own", () => {
  fc.assert(
    fc.property(smallEstates, fc.integer(), (estate, seed) => {
      const { forest, names } = forestOf(estate, seed);
      estate.forEach(({ layers }, row) => {
        const node = forest.images.node[row]!;
        expect(node < 0 ? "" : names[forest.chain[node]!]).toBe(layers);
        expect(forest.images.base[row]).toBe(node < 0 ? -1 : forest.base[node]);
      });
      for (let node = 0; node < forest.size; node++) {
        const below = forest.parent[node]!;
        const name = names[forest.chain[node]!]!;
        expect(forest.layers[node]).toBe(name.length);
        expect(names[forest.edge[node]!]).toBe(name.slice(0, (below < 0 ? 0 : forest.layers[below]!) + 1));
        expect(below).toBeLessThan(node);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("a node tells how many images end there, whose they and those above are, and what the first of them declares that is known", () => {
  fc.assert(
    fc.property(smallEstates, fc.integer(), (estate, seed) => {
      const { forest, names, claims } = forestOf(estate, seed);
      for (let node = 0; node < forest.size; node++) {
        const name = names[forest.chain[node]!]!;
        const here = estate.filter(({ layers }) => layers === name);
        const declares = ({ layers, declared }: (typeof estate)[number]) => layers === name && declared !== -1;
        const knows = ({ declared }: (typeof estate)[number]) => (estate[declared]?.layers ?? "") !== "";
        const known = estate.findIndex((one) => declares(one) && knows(one));
        const speaker = known >= 0 ? known : estate.findIndex(declares);
        const above = estate.filter(({ layers }) => layers.startsWith(name));
        const owners = [...new Set(above.map(({ repository }) => repository).filter((one) => one !== -1))];
        expect(forest.ends[node]).toBe(here.length);
        expect(forest.repository[node]).toBe(owners.length > 1 ? -2 : (owners[0] ?? -1));
        expect(CLAIMS[forest.claim[node]!]).toBe(claims[speaker] ?? "none");
        const declared = estate[estate[speaker]?.declared ?? -1]?.layers ?? "";
        expect(forest.declared[node]! < 0 ? "" : names[forest.chain[forest.declared[node]!]!]).toBe(declared);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("what an image stands on does not depend on whether other images are gone", () => {
  fc.assert(
    fc.property(smallEstates, fc.nat(), (estate, which) => {
      const gone = estate.map((one, row) => (row === which % estate.length ? { ...one, alive: false } : one));
      expect(Array.from(forestOf(gone).forest.base)).toEqual(Array.from(forestOf(estate).forest.base));
    }),
    { numRuns: 1_000 },
  );
});

test("images of several repositories that part above common layers stand on an anonymous base", () => {
  const { nodes } = forestOf([image("xya"), image("xyb", { repository: 1 })]);
  expect(nodes.get("xy")).toMatchObject({ kind: "anonymous", beneath: 2, dependents: 2 });
  expect(nodes.get("xya")).toMatchObject({ base: "xy", how: "layers", level: 1 });
});

test("layers that only the builds of one repository share are a cache and nobody's base", () => {
  const { nodes } = forestOf([
    image("o", { repository: 9 }),
    image("oya"),
    image("oyb"),
    image("oyb", { repository: -1 }),
  ]);
  expect(nodes.get("oy")).toMatchObject({ kind: "cache", base: "o", beneath: 3, dependents: 0 });
  expect(nodes.get("oya")).toMatchObject({ parent: "oy", base: "o" });
  expect(nodes.get("o")).toMatchObject({ dependents: 2, beneath: 3 });
});

test("a base whose images are gone is still the base, as deleted", () => {
  const { nodes } = forestOf([image("o", { alive: false }), image("oa")]);
  expect(nodes.get("o")).toMatchObject({ kind: "deleted", own: 0, beneath: 1 });
  expect(nodes.get("oa")).toMatchObject({ base: "o" });
});

test("equal images under many names are one node, and never each other's base", () => {
  const { forest } = forestOf(Array.from({ length: 50 }, (_, repository) => image("oa", { repository })));
  expect(forest.size).toBe(1);
  expect(forest).toMatchObject({ own: Int32Array.of(50), base: Int32Array.of(-1), beneath: Int32Array.of(0) });
});

test("the image that speaks for equal ones is alive, then most named as the base, then the first", () => {
  const equal = [image("o", { alive: false }), image("o"), image("o"), image("o")];
  expect(forestOf(equal).forest.representative[0]).toBe(1);
  const named = [...equal, image("oa", { declared: 2 }), image("ob", { declared: 2 }), image("oc", { declared: 0 })];
  expect(forestOf(named).forest.representative[0]).toBe(2);
});

test("a squashed image stands on what it declares, and so do those that stand on it", () => {
  const { nodes, claims } = forestOf([image("o"), image("s", { declared: 0 }), image("sa")]);
  expect(nodes.get("s")).toMatchObject({ base: "o", how: "declared", level: 1, root: "o" });
  expect(nodes.get("sa")).toMatchObject({ base: "s", how: "layers", level: 2, root: "o" });
  expect(nodes.get("o")).toMatchObject({ beneath: 2, dependents: 1 });
  expect(claims).toEqual(["none", "used", "none"]);
});

test("a declaration that the layers contradict is kept and not used", () => {
  const { nodes, claims } = forestOf([image("o"), image("p"), image("oa", { declared: 1 })]);
  expect(nodes.get("oa")).toMatchObject({ base: "o", how: "layers" });
  expect(claims[2]).toBe("contradicted");
});

test("declarations in a circle count for nothing, in whatever order, and what stands on it keeps its base", () => {
  const circle = [image("a", { declared: 1 }), image("b", { declared: 2 }), image("c", { declared: 0 })];
  const { nodes, claims } = forestOf([...circle, image("d", { declared: 0 })]);
  expect(claims).toEqual(["cyclic", "cyclic", "cyclic", "used"]);
  expect(nodes.get("a")).toMatchObject({ base: "", level: 0, dependents: 1 });
  expect(nodes.get("d")).toMatchObject({ base: "a" });
  expect(forestOf([image("a", { declared: 1 }), image("ab")]).claims).toEqual(["cyclic", "none"]);
});

test("an image that names itself or its equal says nothing that the layers do not say", () => {
  const { claims, forest } = forestOf([image("a", { declared: 0 }), image("a", { declared: 0 })]);
  expect(claims).toEqual(["agrees", "agrees"]);
  expect(forest.base).toEqual(Int32Array.of(-1));
});

test("of equal squashed images that declare different bases the first speaks", () => {
  const estate = [image("o"), image("p"), image("s"), image("s", { declared: 1 }), image("s", { declared: 0 })];
  const { claims, nodes } = forestOf(estate);
  expect(claims).toEqual(["none", "none", "none", "used", "contradicted"]);
  expect(nodes.get("s")).toMatchObject({ base: "p", how: "declared" });
});

test("images without layers have no node, are no base, and their word is not judged", () => {
  const { forest, claims } = forestOf([image(""), image("o", { declared: 0 }), image("", { declared: 1 })]);
  expect(forest.size).toBe(1);
  expect(Array.from(forest.images.node)).toEqual([-1, 0, -1]);
  expect(claims).toEqual(["none", "unresolved", "unresolved"]);
});

test("an estate of nothing is a forest of nothing", () => {
  expect(forestOf([]).forest.size).toBe(0);
});

/** Chains one upon another, the topmost in row 0. */
const tower = (count: number) => Int32Array.from({ length: count }, (_, row) => (row + 1 < count ? row + 1 : -1));
const one = (top: number, more: { declared?: number } = {}) => ({
  tops: Int32Array.of(top),
  repositories: Int32Array.of(0),
  alive: Uint8Array.of(1),
  declared: Int32Array.of(more.declared ?? -1),
});

test("as many layers as the bound are taken, ten thousand are refused with a message", () => {
  expect(buildForest({ parents: tower(MAX_LAYERS) }, one(0)).layers).toEqual(Int16Array.of(MAX_LAYERS));
  for (const parents of [
    tower(MAX_LAYERS + 1),
    tower(10_000),
    tower(10_000)
      .reverse()
      .map((row) => (row < 0 ? -1 : 9_999 - row)),
  ]) {
    expect(() => buildForest({ parents }, one(0))).toThrow(/chain \d+ has more than 1000 layers/);
  }
});

test.each([
  ["a chain on itself", Int32Array.of(0), one(0), "CHAINS_CYCLIC"],
  ["chains in a circle", Int32Array.of(1, 2, 1), one(0), "CHAINS_CYCLIC"],
  [
    "chains in a wide circle",
    Int32Array.from({ length: 5_000 }, (_, row) => (row + 1) % 5_000),
    one(0),
    "CHAIN_TOO_DEEP",
  ],
  ["a chain on no row", Int32Array.of(7), one(0), "ROWS_INVALID"],
  ["an image of no chain", Int32Array.of(-1), one(1), "ROWS_INVALID"],
  ["a declared base of no row", Int32Array.of(-1), one(0, { declared: 1 }), "ROWS_INVALID"],
  ["columns of different lengths", Int32Array.of(-1), { ...one(0), alive: new Uint8Array(2) }, "ROWS_INVALID"],
])("%s is refused", (_what, parents, images, code) => {
  const build = () => buildForest({ parents }, images);
  expect(build).toThrow(LineageError);
  expect(build).toThrow(expect.objectContaining({ code }));
});
