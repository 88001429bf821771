import { expect, test } from "vitest";
import type { LineageNode } from "../../api/contract.ts";
import { addNodes, levelOf, placeOf } from "./forest-model.ts";
import { between, fit, panBy, zoomAt } from "./view.ts";

const node = (id: number, beneath: number): LineageNode => ({
  ...{ id, chain: "", kind: "known", layers: 1, below: null, how: "none", claim: "none", images: 1, live: 0 },
  ...{ beneath, children: 1, repository: null, image: null },
});
const SIZE = { width: 800, height: 600 };

test("one disc stands for what was not read, until it is read", () => {
  const level = levelOf(undefined, { nodes: 10, images: 1_000 });
  const first = [node(1, 400), node(2, 300), node(3, 200), node(4, 20)];
  addNodes(level, first, "more", true);
  expect(level.discs.map(({ rest }) => rest)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    { nodes: 6, most: 20 },
  ]);
  const places = level.discs.slice(0, 4).map(({ x, y }) => [x, y]);
  addNodes(level, [node(5, 10)], undefined, true);
  expect(level.discs).toHaveLength(5);
  expect(level.discs.slice(0, 4).map(({ x, y }) => [x, y])).toEqual(places);
});

test("what stands on a node lies within its circle", () => {
  const roots = levelOf(undefined, undefined);
  addNodes(roots, [node(1, 100), node(2, 50), node(3, 40), node(4, 30)], undefined, true);
  const around = roots.discs[3]!;
  const inside = levelOf(around, undefined);
  addNodes(inside, [node(5, 10), node(6, 9), node(7, 8), node(8, 7)], undefined, true);
  for (const disc of inside.discs) {
    const { x, y, r } = placeOf(disc);
    expect(Math.hypot(x - around.x, y - around.y) + r).toBeLessThanOrEqual(around.r);
  }
});

test("zooming keeps the point under the pointer, and moving follows it", () => {
  const view = fit({ x: 5, y: 7, r: 30 }, SIZE);
  const pointer = { x: 100, y: 450 };
  const at = ({ x, y, zoom }: typeof view) => [x + (pointer.x - 400) / zoom, y + (pointer.y - 300) / zoom];
  const after = zoomAt(view, SIZE, pointer, 3.7);
  expect(after.zoom).toBeCloseTo(view.zoom * 3.7);
  for (const [axis, value] of at(view).entries()) expect(at(after)[axis]).toBeCloseTo(value);
  expect(panBy(view, view.zoom, 0).x).toBeCloseTo(4);
  expect(between(view, after, 0)).toEqual(view);
  expect(between(view, after, 1).x).toBeCloseTo(after.x);
});
