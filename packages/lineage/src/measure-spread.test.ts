import fc from "fast-check";
import { expect, test } from "vitest";
import { buildForest } from "./build-forest.ts";
import { COVERAGE_PERCENTS, coverageOf, MAX_CURVE_POINTS } from "./coverage.ts";
import { LineageError } from "./errors.ts";
import { measureSpread, type SpreadFacts } from "./measure-spread.ts";
import { naiveForest } from "./testing/naive-forest.ts";
import { asColumns, type SmallImage, smallEstates } from "./testing/small-estate.ts";

const DAY_MS = 86_400_000;

/** What the layers of a name are taken to carry: a fact that a test can compute for itself. */
const criticalOf = (name: string) => name.split("a").length - 1;
const highOf = (name: string) => name.length % 2;
const daysOf = (name: string) => (name.startsWith("b") ? Number.NaN : name.length * 90);

function spreadOf(estate: readonly SmallImage[], seed = 0) {
  const { names, chains, images } = asColumns(estate, seed);
  const forest = buildForest(chains, images);
  const name = (node: number) => names[forest.chain[node]!]!;
  const column = (fact: (name: string) => number) => Array.from(forest.chain, (row) => fact(names[row]!));
  const facts: SpreadFacts = {
    critical: Int32Array.from(column(criticalOf)),
    high: Int32Array.from(column(highOf)),
    medium: new Int32Array(forest.size),
    low: new Int32Array(forest.size),
    builtAt: Float64Array.from(column((name) => -daysOf(name) * DAY_MS)),
    now: 0,
  };
  return { spread: measureSpread(forest, images, facts), name };
}

test("ten thousand small estates give the spread that counting image by image gives", () => {
  fc.assert(
    fc.property(smallEstates, fc.integer(), (estate, seed) => {
      const { spread, name } = spreadOf(estate, seed);
      const { nodes } = naiveForest(estate);
      const living = estate.filter(({ alive }) => alive);
      const ofNode = (layers: string) => nodes.get(layers)!;
      const placed = living.filter(({ layers }) => layers !== "");
      const standing = placed.filter(({ layers }) => ofNode(layers).base !== "");
      const inUse = [...nodes].filter(([, node]) => node.kind !== "cache" && node.beneath() > 0).map(([base]) => base);
      const lowest = placed.filter((image) => !standing.includes(image));
      const direct = (base: string) => standing.filter(({ layers }) => ofNode(layers).base === base).length;
      const share = (bases: readonly string[]) => ({
        bases: bases.length,
        images: bases.reduce((sum, base) => sum + direct(base), 0),
      });
      expect(spread).toMatchObject({
        images: living.length,
        standing: standing.length,
        isolated: lowest.filter(({ layers }) => ofNode(layers).beneath() === 0).length,
        bottom: lowest.filter(({ layers }) => ofNode(layers).beneath() > 0).length,
        layerless: living.length - placed.length,
        roots: inUse.filter((base) => ofNode(base).base === "").length,
        bases: inUse.length,
        indirect: inUse.filter((base) => direct(base) === 0).length,
      });
      expect(spread.flawed).toMatchObject({
        critical: share(inUse.filter((base) => criticalOf(base) > 0)),
        high: share(inUse.filter((base) => highOf(base) > 0)),
        any: share(inUse.filter((base) => criticalOf(base) + highOf(base) > 0)),
        low: { bases: 0, images: 0 },
      });
      expect(spread.ages.map(({ bases, images }) => ({ bases, images }))).toEqual([
        { bases: 0, images: 0 },
        { bases: 0, images: 0 },
        share(inUse.filter((base) => daysOf(base) === 90)),
        share(inUse.filter((base) => daysOf(base) >= 180 && daysOf(base) < 365)),
        share(inUse.filter((base) => daysOf(base) >= 365)),
        { bases: 0, images: 0 },
        share(inUse.filter((base) => Number.isNaN(daysOf(base)))),
      ]);
      const levels = placed.map(({ layers }) => ofNode(layers).level());
      expect(spread.depths).toEqual(
        Array.from({ length: Math.max(-1, ...levels) + 1 }, (_, level) => levels.filter((one) => one === level).length),
      );
      const degrees = inUse.map((base) => Math.floor(Math.log2(direct(base))));
      expect(spread.degrees).toEqual(
        Array.from(
          { length: Math.max(-1, ...degrees) + 1 },
          (_, degree) => degrees.filter((one) => one === degree).length,
        ),
      );
      const carried = (base: string) => standing.filter(({ layers }) => ofNode(layers).root() === base).length;
      const roots = inUse.filter((base) => ofNode(base).base === "").map((base) => [base, carried(base)]);
      expect(new Map(spread.topRoots.map(({ node, images }) => [name(node), images]))).toEqual(
        new Map(roots as [string, number][]),
      );
      expect(spread.byRoot).toMatchObject({ images: standing.length, bases: roots.length });
      expect(spread.byBase).toMatchObject({
        images: standing.length,
        bases: inUse.filter((base) => direct(base) > 0).length,
      });
    }),
    { numRuns: 10_000 },
  );
});

test("the curve is that of the sorted numbers, and says exactly how many bases reach a share", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1_000 }), { maxLength: 2_000 }), (numbers) => {
      const { images, bases, reached, points } = coverageOf(Int32Array.from(numbers));
      const sorted = numbers.filter((number) => number > 0).toSorted((a, b) => b - a);
      const sum = (count: number) => sorted.slice(0, count).reduce((total, number) => total + number, 0);
      expect({ images, bases }).toEqual({ images: sum(sorted.length), bases: sorted.length });
      expect(points.length).toBeLessThanOrEqual(MAX_CURVE_POINTS);
      for (const point of points) expect(point.images).toBe(sum(point.bases));
      expect(reached.map(({ percent }) => percent)).toEqual(images === 0 ? [] : [...COVERAGE_PERCENTS]);
      for (const { percent, bases: count } of reached) {
        expect(sum(count) * 100).toBeGreaterThanOrEqual(images * percent);
        expect(sum(count - 1) * 100).toBeLessThan(images * percent);
      }
      if (images > 0) expect([points[0]!.bases, points.at(-1)!.bases]).toEqual([1, sorted.length]);
    }),
    { numRuns: 300 },
  );
});

test("the bases with the most images are named, most first", () => {
  const estate = Array.from({ length: 30 }, (_, base) =>
    Array.from({ length: base + 2 }, (_, leaf): SmallImage => {
      const letter = String.fromCharCode(0x100 + base);
      return {
        layers: leaf === 0 ? letter : letter + String.fromCharCode(0x200 + leaf),
        repository: 0,
        alive: true,
        declared: -1,
      };
    }),
  ).flat();
  const { spread } = spreadOf(estate);
  expect(spread.topRoots.map(({ images }) => images)).toEqual(Array.from({ length: 20 }, (_, index) => 30 - index));
});

test("facts of another forest are refused", () => {
  const { chains, images } = asColumns([{ layers: "a", repository: 0, alive: true, declared: -1 }]);
  const none = new Int32Array(0);
  const facts = { critical: none, high: none, medium: none, low: none, builtAt: new Float64Array(0), now: 0 };
  expect(() => measureSpread(buildForest(chains, images), images, facts)).toThrow(LineageError);
});
