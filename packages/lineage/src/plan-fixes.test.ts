import fc from "fast-check";
import { expect, test } from "vitest";
import { buildForest } from "./build-forest.ts";
import { LineageError } from "./errors.ts";
import type { Forest } from "./forest.ts";
import { type PlanGoal, planFixes } from "./plan-fixes.ts";
import type { PlanInput } from "./plan-input.ts";
import { simulateMove } from "./simulate-move.ts";
import { naivePlan } from "./testing/naive-plan.ts";
import { asColumns, type SmallImage, smallEstates } from "./testing/small-estate.ts";

const CACHE = 3;

function forestOf(estate: readonly SmallImage[]): Forest {
  const { chains, images } = asColumns(estate);
  return buildForest(chains, images);
}

function wayTo(forest: Forest, node: number): readonly number[] {
  return node < 0 ? [] : [...wayTo(forest, forest.base[node]!), node];
}

/** Pieces of risk at places that numbers choose. */
function risksOf(forest: Forest, picks: readonly (readonly [number, number, number])[]) {
  const nodes = Array.from({ length: forest.size }, (_, node) => node).filter((node) => forest.kind[node] !== CACHE);
  const pieces =
    nodes.length === 0
      ? []
      : picks.map(([at, stage, weight]) => {
          const way = wayTo(forest, nodes[at % nodes.length]!);
          return { node: way.at(-1)!, stage: way[stage % way.length]!, weight };
        });
  return {
    nodes: Int32Array.from(pieces, ({ node }) => node),
    stages: Int32Array.from(pieces, ({ stage }) => stage),
    weights: Float64Array.from(pieces, ({ weight }) => weight),
  };
}

const picks = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(20)), { maxLength: 20 });
const plans: fc.Arbitrary<PlanInput> = fc
  .tuple(smallEstates, picks, fc.infiniteStream(fc.nat(9)), fc.boolean(), fc.boolean())
  .map(([estate, pieces, numbers, isGrouped, isPriced]) => {
    const forest = forestOf(estate);
    const column = (of: (number: number) => number) =>
      Array.from({ length: forest.size }, () => of(numbers.next().value));
    return {
      forest,
      risks: risksOf(forest, pieces),
      candidates: Uint8Array.from(column((number) => Number(number > 1))).map((can, node) =>
        forest.kind[node] === CACHE ? 0 : can,
      ),
      groups: isGrouped ? Int32Array.from(column((number) => (number < 6 ? number % 3 : -1))) : undefined,
      costs: isPriced ? Float64Array.from(column((number) => 1 + (number % 4))) : undefined,
    };
  });
const goals: fc.Arbitrary<PlanGoal> = fc.oneof(
  fc.record({ share: fc.integer({ min: 1, max: 10 }).map((tenths) => tenths / 10) }),
  fc.record({ fixes: fc.integer({ min: 1, max: 4 }) }),
);

test("what each step claims to clear, and in how many images, is what naive counting finds", () => {
  fc.assert(
    fc.property(plans, goals, (input, goal) => {
      const naive = naivePlan(input);
      const plan = planFixes(input, goal);
      expect(plan.total).toBe(naive.total);
      const done: number[] = [];
      let cost = 0;
      for (const step of plan.steps) {
        const before = [...done];
        done.push(...step.nodes);
        cost += step.cost;
        expect(naive.fixes).toContainEqual({ nodes: step.nodes, cost: step.cost });
        expect(step).toMatchObject({
          gain: naive.cleared(done) - naive.cleared(before),
          cleared: naive.cleared(done),
          share: naive.cleared(done) / naive.total,
          images: naive.images(before, step.nodes),
        });
        // Greedy: no other fix would clear more for its cost.
        const left =
          "share" in goal ? Math.min(naive.total, goal.share * naive.total) - naive.cleared(before) : naive.total;
        const worth = (nodes: readonly number[], price: number) =>
          Math.min(naive.cleared([...before, ...nodes]) - naive.cleared(before), Math.ceil(left - 1e-9)) /
          ("fixes" in goal ? 1 : price);
        const best = Math.max(...naive.fixes.map((fix) => worth(fix.nodes, fix.cost)));
        expect(worth(step.nodes, step.cost)).toBeCloseTo(best, 9);
      }
      expect(plan).toMatchObject({ cleared: naive.cleared(done), cost, images: naive.images([], done) });
    }),
    { numRuns: 5_000 },
  );
});

/** All sets of some fixes. */
function* subsets<Value>(values: readonly Value[]): Generator<readonly Value[]> {
  for (let mask = 0; mask < 2 ** values.length; mask++) yield values.filter((_, index) => (mask >> index) & 1);
}

test("a plan costs no more than its bound says, measured by the best of all plans", () => {
  fc.assert(
    fc.property(plans, goals, (input, goal) => {
      const naive = naivePlan(input);
      fc.pre(naive.fixes.length <= 10);
      const { bound, cost, cleared, reached } = planFixes(input, goal);
      const sets = [...subsets(naive.fixes)].map((fixes) => ({
        count: fixes.length,
        cost: fixes.reduce((sum, fix) => sum + fix.cost, 0),
        cleared: naive.cleared(fixes.flatMap(({ nodes }) => nodes)),
      }));
      if ("share" in goal) {
        const wanted = goal.share * naive.total - 1e-9;
        const least = Math.min(...sets.filter((set) => set.cleared >= wanted).map((set) => set.cost));
        expect(reached).toBe(least < Number.POSITIVE_INFINITY);
        if (bound.kind !== "cost") throw new Error("the bound is of the other kind");
        if (!reached) return;
        expect(bound.least).toBeLessThanOrEqual(least + 1e-9);
        expect(cost).toBeLessThanOrEqual(least * bound.guaranteed + 1e-9);
        expect(cost).toBeLessThanOrEqual(least * bound.factor + 1e-9);
      } else {
        const most = Math.max(...sets.filter((set) => set.count <= goal.fixes).map((set) => set.cleared));
        if (bound.kind !== "cleared") throw new Error("the bound is of the other kind");
        expect(bound.most).toBeGreaterThanOrEqual(most);
        expect(cleared).toBeGreaterThanOrEqual(most * bound.guaranteed - 1e-9);
        expect(cleared).toBeGreaterThanOrEqual(most * bound.factor - 1e-9);
      }
    }),
    { numRuns: 3_000 },
  );
});

const image = (layers: string, more: Partial<SmallImage> = {}) => ({
  layers,
  repository: 0,
  alive: true,
  declared: -1,
  ...more,
});

/** A base `o` with two applications, one of which also has risk of its own. */
function small() {
  const forest = forestOf([image("o"), image("oa"), image("ob", { repository: 1 })]);
  const risks = {
    nodes: Int32Array.of(0, 1, 2, 2),
    stages: Int32Array.of(0, 0, 0, 2),
    weights: Float64Array.of(5, 5, 5, 7),
  };
  return { forest, risks, candidates: Uint8Array.of(1, 1, 1) };
}

test("rebuilding a base clears what it brings everywhere, rebuilding an image what is left of its own", () => {
  const { steps, bound } = planFixes(small(), { share: 1 });
  expect(steps).toMatchObject([
    { nodes: [0], group: -1, gain: 15, cleared: 15, images: 3 },
    { nodes: [2], group: -1, gain: 7, cleared: 22, share: 1, images: 1 },
  ]);
  expect(bound).toMatchObject({ kind: "cost", least: 2, factor: 1 });
});

test("images of one repository are one fix", () => {
  const { steps } = planFixes(
    { ...small(), groups: Int32Array.of(-1, 4, 4), candidates: Uint8Array.of(0, 1, 1) },
    { fixes: 1 },
  );
  expect(steps).toMatchObject([{ nodes: [1, 2], group: 4, gain: 17, images: 2 }]);
});

test("a dear base waits for cheap fixes, and what cannot be reached is said", () => {
  const plan = planFixes(
    { ...small(), costs: Float64Array.of(10, 1, 1), candidates: Uint8Array.of(0, 1, 1) },
    { share: 1 },
  );
  expect(plan).toMatchObject({ reached: false, cleared: 17, cost: 2 });
  expect(planFixes({ ...small(), costs: Float64Array.of(10, 1, 1) }, { share: 0.5 }).steps).toMatchObject([
    { nodes: [2] },
  ]);
});

test("an estate without risk needs no plan", () => {
  const none = { nodes: new Int32Array(0), stages: new Int32Array(0), weights: new Float64Array(0) };
  expect(planFixes({ ...small(), risks: none }, { share: 1 })).toMatchObject({ steps: [], total: 0, reached: true });
});

test("squashed images that name one another in one long way do not make a plan as large as its square", () => {
  const count = 60_000;
  const rows = Int32Array.from({ length: count }, (_, row) => row);
  const forest = buildForest(
    { parents: new Int32Array(count).fill(-1) },
    { tops: rows, repositories: rows, alive: new Uint8Array(count).fill(1), declared: rows.map((row) => row - 1) },
  );
  expect(forest.level[count - 1]).toBe(count - 1);
  const risks = { nodes: rows, stages: new Int32Array(count), weights: new Float64Array(count).fill(1) };
  const plan = planFixes({ forest, risks, candidates: new Uint8Array(count).fill(1) }, { share: 1 });
  expect(plan).toMatchObject({ cleared: count, images: count, reached: true });
  expect(plan.steps.length).toBe(Math.ceil(count / 33));
});

test("what a move of everything on a base to another would change is what naive counting finds", () => {
  fc.assert(
    fc.property(plans, fc.nat(), fc.nat(), (input, one, other) => {
      const { forest, risks } = input;
      fc.pre(forest.size > 1);
      const from = one % forest.size;
      const onto = (from + 1 + (other % (forest.size - 1))) % forest.size;
      const moves = (node: number) =>
        node !== from && wayTo(forest, node).includes(from) && !wayTo(forest, node).includes(onto);
      const moved = Array.from({ length: forest.size }, (_, node) => node).filter(moves);
      const lost = Array.from(risks.nodes, (node, row) => {
        return moves(node) && wayTo(forest, from).includes(risks.stages[row]!) ? risks.weights[row]! : 0;
      });
      const images = moved.reduce((sum, node) => sum + forest.own[node]!, 0);
      expect(simulateMove(forest, risks, { from, onto, riskPerImage: 3 })).toEqual({
        images,
        cleared: lost.reduce((sum, weight) => sum + weight, 0),
        added: images * 3,
      });
    }),
    { numRuns: 2_000 },
  );
});

const { forest, risks, candidates } = small();
test.each([
  ["a share of nothing", () => planFixes({ forest, risks, candidates }, { share: 0 })],
  ["a share of more than all", () => planFixes({ forest, risks, candidates }, { share: 1.1 })],
  ["a share that is no number", () => planFixes({ forest, risks, candidates }, { share: Number.NaN })],
  ["half a fix", () => planFixes({ forest, risks, candidates }, { fixes: 0.5 })],
  ["a fix for nothing", () => planFixes({ forest, risks, candidates, costs: Float64Array.of(1, 0, 1) }, { share: 1 })],
  ["short columns", () => planFixes({ forest, risks, candidates: Uint8Array.of(1) }, { share: 1 })],
  [
    "risk of a stage that the node does not stand on",
    () => planFixes({ forest, risks: { ...risks, stages: Int32Array.of(0, 0, 0, 1) }, candidates }, { share: 1 }),
  ],
  [
    "risk of a node that is none",
    () => planFixes({ forest, risks: { ...risks, nodes: Int32Array.of(0, 1, 2, 9) }, candidates }, { share: 1 }),
  ],
  [
    "negative risk",
    () => planFixes({ forest, risks: { ...risks, weights: Float64Array.of(1, 1, 1, -1) }, candidates }, { share: 1 }),
  ],
  ["a move to nowhere", () => simulateMove(forest, risks, { from: 0, onto: 3, riskPerImage: 0 })],
  ["a move onto itself", () => simulateMove(forest, risks, { from: 0, onto: 0, riskPerImage: 0 })],
])("%s is refused", (_what, ask) => {
  expect(ask).toThrow(LineageError);
  expect(ask).toThrow(expect.objectContaining({ code: "PLAN_INVALID" }));
});
