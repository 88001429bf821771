import fc from "fast-check";
import { expect, test } from "vitest";
import { layOver } from "./overlay.ts";
import { layer } from "./testing/layers.ts";

/** What the specification says, one path at a time. */
function reference(paths: readonly string[], top: Parameters<typeof layer>[0]): readonly string[] {
  const { whiteouts = [], opaque = [], paths: own = [] } = top;
  const isBelow = (path: string, directory: string) => directory === "" || path.startsWith(`${directory}/`);
  const isHidden = (path: string) =>
    [...whiteouts, ...own].some((root) => path === root || isBelow(path, root)) ||
    opaque.some((directory) => isBelow(path, directory));
  return paths.filter((path) => !isHidden(path));
}

const deep = Array(100).fill("d").join("/");
const path = fc
  .array(fc.constantFrom("a", "b", "ab", deep), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join("/"));

test("what a layer hides is what the specification says, however deep it lies", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(path, { maxLength: 12 }),
      fc.record({ whiteouts: fc.array(path, { maxLength: 3 }), opaque: fc.array(path, { maxLength: 3 }) }),
      fc.array(path, { maxLength: 4 }),
      (below, { whiteouts, opaque }, paths) => {
        const live = new Map(below.map((each) => [each, true]));
        const hidden: string[] = [];
        layOver(live, layer({ whiteouts, opaque, paths }), (each) => hidden.push(each));
        expect([...live.keys()]).toEqual(reference(below, { whiteouts, opaque, paths }));
        expect([...hidden, ...live.keys()].sort()).toEqual(below.toSorted());
      },
    ),
  );
});

test("many files at the greatest depth, and one removal told again and again, take neither memory nor time", () => {
  const chain = Array(2_000).fill("d").join("/");
  const live = new Map(Array.from({ length: 30_000 }, (_, index) => [`usr/${chain}/${index}`, true]));
  for (let index = 0; index < 30_000; index++) live.set(`usr/lib/${index}`, true);
  const before = live.size;
  layOver(live, layer({ whiteouts: Array(100_000).fill("usr/none") }));
  expect(live.size).toBe(before);
  layOver(live, layer({ whiteouts: Array(100_000).fill("usr"), opaque: Array(100_000).fill("usr") }));
  expect(live.size).toBe(0);
}, 20_000);
