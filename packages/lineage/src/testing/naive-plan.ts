import type { Forest } from "../forest.ts";
import type { PlanInput } from "../plan-input.ts";

/** What a plan's fixes clear, by asking every piece of risk whether any fixed node lies on its way. */
export function naivePlan({ forest, risks, candidates, groups, costs }: PlanInput) {
  const ways = Array.from({ length: forest.size }, (_, node) => wayTo(forest, node));
  const pieces = Array.from(risks.nodes, (node, row) => ({
    node,
    weight: risks.weights[row]!,
    // The nodes at which a fix clears it: from its stage up to the node itself.
    way: ways[node]!.slice(ways[node]!.indexOf(risks.stages[row]!)),
  }));
  const fixes = new Map<string, { nodes: number[]; cost: number }>();
  for (let node = 0; node < forest.size; node++) {
    if (candidates[node] === 0) continue;
    const group = groups?.[node] ?? -1;
    const key = group < 0 ? `node ${node}` : `group ${group}`;
    const { nodes, cost } = fixes.get(key) ?? { nodes: [], cost: 0 };
    fixes.set(key, { nodes: [...nodes, node], cost: Math.max(cost, costs?.[node] ?? 1) });
  }
  const clearedBy = (nodes: readonly number[]) => pieces.filter(({ way }) => way.some((node) => nodes.includes(node)));
  const weigh = (some: typeof pieces) => some.reduce((sum, { weight }) => sum + weight, 0);
  return {
    fixes: [...fixes.values()],
    total: weigh(pieces),
    cleared: (nodes: readonly number[]) => weigh(clearedBy(nodes)),
    /** Living images that lose risk by the last of some fixes. */
    images: (before: readonly number[], nodes: readonly number[]) => {
      const gone = new Set(clearedBy(before));
      const touched = clearedBy(nodes).filter((piece) => !gone.has(piece) && piece.weight > 0);
      return [...new Set(touched.map(({ node }) => node))].reduce((sum, node) => sum + forest.own[node]!, 0);
    },
  };
}

function wayTo(forest: Forest, node: number): readonly number[] {
  return node < 0 ? [] : [...wayTo(forest, forest.base[node]!), node];
}
