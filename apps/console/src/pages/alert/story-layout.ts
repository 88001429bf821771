import type { StoryEdge, StoryNode } from "../../api/runtime-facts.ts";

/** A node with its place: columns from left to right, rows from top to bottom. */
export interface PlacedNode {
  readonly node: StoryNode;
  readonly column: number;
  /** Halves are possible: a node stands in the middle of what follows from it. */
  readonly row: number;
}

export interface StoryLayout {
  readonly placed: readonly PlacedNode[];
  readonly columns: number;
  readonly rows: number;
}

/**
 * Places the nodes of a story as a tree that grows to the right: each node hangs on what led to it first, leaves get a row
 * each, and what has leaves stands in their middle. Deterministic; each node is placed once, also where edges form circles.
 *
 * @example layoutStory(story.nodes, story.edges).placed[0] // { node, column: 0, row: 1.5 }
 */
export function layoutStory(nodes: readonly StoryNode[], edges: readonly StoryEdge[]): StoryLayout {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const above = new Map<string, string>();
  for (const { from, to } of edges.toSorted((a, b) => a.firstUs - b.firstUs)) {
    const usable = known.has(from) && known.has(to) && !above.has(to) && !leadsTo(above, from, to);
    if (usable) above.set(to, from);
  }
  const below = Map.groupBy(nodes.toSorted(byTime), ({ id }) => above.get(id) ?? "");
  const placed: PlacedNode[] = [];
  let rows = 0;
  const place = (node: StoryNode, column: number): number => {
    const children = below.get(node.id) ?? [];
    const at = children.map((child) => place(child, column + 1));
    const row = at.length === 0 ? rows++ : (at[0]! + at.at(-1)!) / 2;
    placed.push({ node, column, row });
    return row;
  };
  for (const root of below.get("") ?? []) place(root, 0);
  const columns = placed.reduce((most, { column }) => Math.max(most, column + 1), 0);
  return { placed: placed.toSorted((a, b) => a.column - b.column || a.row - b.row), columns, rows };
}

function byTime(a: StoryNode, b: StoryNode): number {
  return a.firstUs - b.firstUs || (a.id < b.id ? -1 : 1);
}

/** Whether `from` hangs on `to` already, so that an edge back would close a circle. */
function leadsTo(above: ReadonlyMap<string, string>, from: string, to: string): boolean {
  for (let at: string | undefined = from; at !== undefined; at = above.get(at)) if (at === to) return true;
  return false;
}

/** What is written beside a node: all that was done to it. */
export interface EdgeLabel {
  readonly to: string;
  /** The first thing that was done, and how often. */
  readonly first: { readonly what: string; readonly count: number };
  /** Other things that were done to it. */
  readonly more: number;
}

/**
 * One label for each node that something was done to, however many edges lead there: labels of single edges would lie on top of each
 * other. It stands left of the node, where those of the first column have no room.
 */
export function edgeLabels({ placed }: StoryLayout, edges: readonly StoryEdge[]): readonly EdgeLabel[] {
  const columns = new Map(placed.map(({ node, column }) => [node.id, column]));
  const shown = edges.filter(({ from, to }) => from !== to && columns.has(from) && (columns.get(to) ?? 0) > 0);
  return [...Map.groupBy(shown, ({ to }) => to)].flatMap(([to, found]) => {
    const counts = new Map<string, number>();
    for (const { what, count } of found.toSorted((a, b) => a.firstUs - b.firstUs))
      counts.set(what, (counts.get(what) ?? 0) + count);
    const [[what, count] = ["", 0]] = counts;
    return what === "" ? [] : [{ to, first: { what, count }, more: counts.size - 1 }];
  });
}
