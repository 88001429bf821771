import { expect, test } from "vitest";
import type { StoryEdge, StoryNode } from "../../api/runtime-facts.ts";
import { edgeLabels, layoutStory } from "./story-layout.ts";

const node = (id: string, firstUs = 0): StoryNode => ({
  ...{ id, kind: "process", label: id, detail: "", firstUs, rules: [], severity: null },
});
const edge = (from: string, to: string, firstUs = 0): StoryEdge => ({ from, to, what: "started", firstUs, count: 1 });
const places = (nodes: readonly StoryNode[], edges: readonly StoryEdge[]) =>
  Object.fromEntries(layoutStory(nodes, edges).placed.map((each) => [each.node.id, [each.column, each.row]]));

test("what follows stands to the right, and a node in the middle of what follows from it", () => {
  const edges = [edge("web", "sh"), edge("sh", "curl", 1), edge("sh", "nc", 2)];
  expect(places([node("web"), node("sh"), node("curl", 1), node("nc", 2)], edges)).toEqual({
    web: [0, 0.5],
    sh: [1, 0.5],
    curl: [2, 0],
    nc: [2, 1],
  });
});

test("a node hangs on what led to it first", () => {
  const edges = [edge("b", "file", 9), edge("a", "file", 3)];
  expect(places([node("a"), node("b"), node("file")], edges)).toMatchObject({ a: [0, 0], b: [0, 1], file: [1, 0] });
});

test("circles, edges to itself and edges to nothing leave every node in one place", () => {
  const nodes = [node("a"), node("b"), node("c")];
  const { placed } = layoutStory(nodes, [
    edge("a", "b"),
    edge("b", "c"),
    edge("c", "a"),
    edge("a", "a"),
    edge("x", "a"),
  ]);
  expect(placed.map((each) => each.node.id).sort()).toEqual(["a", "b", "c"]);
});

test("a node that much was done to has one label, with what was done first", () => {
  const done = (from: string, what: string, firstUs: number, count = 1) => ({ from, to: "file", what, firstUs, count });
  const nodes = [node("a"), node("b"), node("file")];
  const edges = [
    done("a", "opened", 1, 2),
    done("a", "wrote", 3),
    done("b", "opened", 2),
    edge("a", "b", 0),
    edge("b", "a", 9),
  ];
  expect(edgeLabels(layoutStory(nodes, edges), edges)).toEqual([
    { to: "file", first: { what: "opened", count: 3 }, more: 1 },
    { to: "b", first: { what: "started", count: 1 }, more: 0 },
  ]);
});

test("a story without nodes has no size", () => {
  expect(layoutStory([], [])).toEqual({ placed: [], columns: 0, rows: 0 });
});
