import fc from "fast-check";
import { expect, test } from "vitest";
import { buildForest } from "./build-forest.ts";
import { LineageError } from "./errors.ts";
import { planFixes } from "./plan-fixes.ts";
import { pathOf } from "./stage.ts";
import { asColumns, type SmallImage, smallEstates } from "./testing/small-estate.ts";
import { traceRisks } from "./trace-risks.ts";

function tracedOf(estate: readonly SmallImage[], picks: readonly (readonly [number, number, number])[], seed: number) {
  const { names, chains, images } = asColumns(estate, seed);
  const forest = buildForest(chains, images);
  const changes =
    names.length === 0
      ? []
      : picks.map(([at, depth, weight]) => {
          const name = names[at % names.length]!;
          return { chain: at % names.length, name, fromDepth: depth % name.length, weight };
        });
  const traced = traceRisks(forest, chains, {
    chains: Int32Array.from(changes, ({ chain }) => chain),
    fromDepths: Int16Array.from(changes, ({ fromDepth }) => fromDepth),
    weights: Float64Array.from(changes, ({ weight }) => weight),
  });
  return { names, forest, changes, traced };
}

const picks = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: -3, max: 9 })), { maxLength: 20 });

test("the risk of each image is divided among its stages as looking at each of its layers divides it", () => {
  fc.assert(
    fc.property(smallEstates, picks, fc.integer(), (estate, some, seed) => {
      const { names, forest, changes, traced } = tracedOf(estate, some, seed);
      const { nodes, stages, weights } = traced.risks;
      const told = new Map(Array.from(nodes, (node, row) => [`${node} ${stages[row]}`, weights[row]!]));
      const wanted = new Map<string, number>();
      for (let node = 0; node < forest.size; node++) {
        const name = names[forest.chain[node]!]!;
        const mine = changes.filter((change) => name.startsWith(change.name));
        let [sum, from] = [0, 0];
        for (const stage of pathOf(forest, node)) {
          const here = mine.filter(({ fromDepth }) => fromDepth >= from && fromDepth < stage.layers);
          const weight = here.reduce((total, change) => total + change.weight, 0);
          if (weight > 0 && forest.own[node]! > 0) wanted.set(`${node} ${stage.node}`, weight * forest.own[node]!);
          sum += Math.max(0, weight);
          from = stage.layers;
        }
        expect(traced.ofNode[node]).toBe(sum);
      }
      expect(told).toEqual(wanted);
      planFixes({ forest, risks: traced.risks, candidates: new Uint8Array(forest.size) }, { share: 1 });
    }),
    { numRuns: 5_000 },
  );
});

test("what a layer takes away of a base is gone from the images above it, and stays in others", () => {
  const image = (layers: string, repository: number) => ({ layers, repository, alive: true, declared: -1 });
  const { chains, images, names } = asColumns([image("o", 0), image("oa", 1), image("ob", 2)]);
  const forest = buildForest(chains, images);
  const row = (name: string) => names.indexOf(name);
  const { ofNode } = traceRisks(forest, chains, {
    chains: Int32Array.of(row("o"), row("oa")),
    fromDepths: Int16Array.of(0, 0),
    weights: Float64Array.of(5, -5),
  });
  const riskOf = (name: string) => ofNode[forest.chain.indexOf(row(name))];
  expect([riskOf("o"), riskOf("oa"), riskOf("ob")]).toEqual([5, 0, 5]);
});

test.each([
  [
    "a change of a chain that is none",
    { chains: Int32Array.of(1), fromDepths: Int16Array.of(0), weights: Float64Array.of(1) },
  ],
  ["part of a risk", { chains: Int32Array.of(0), fromDepths: Int16Array.of(0), weights: Float64Array.of(0.5) }],
  [
    "columns of different lengths",
    { chains: Int32Array.of(0), fromDepths: Int16Array.of(0), weights: new Float64Array(0) },
  ],
])("%s is refused", (_what, changes) => {
  const { chains, images } = asColumns([{ layers: "o", repository: 0, alive: true, declared: -1 }]);
  expect(() => traceRisks(buildForest(chains, images), chains, changes)).toThrow(LineageError);
});
