import { NODE_KINDS, type PlanInput, restoreForest, traceRisks } from "@bulwark/lineage";
import type { KeptForest, KeptRisk } from "@bulwark/store";

const KNOWN = NODE_KINDS.indexOf("known");

/** What a plan is to clear: findings of these severities that have a fix, or all of them by weight. */
export type PlanMeasure = "critical" | "high" | "exploited" | "risk";

/** How much one finding weighs, by what is measured: critical, high, medium, exploited. `risk` weighs as images do. */
const WEIGHTS: Readonly<Record<PlanMeasure, readonly [number, number, number, number]>> = {
  critical: [1, 0, 0, 0],
  high: [1, 1, 0, 0],
  exploited: [0, 0, 0, 1],
  risk: [20, 5, 1, 100],
};

/** What a plan is made from, and the risk of one image of each node. */
export function planInputOf(
  kept: KeptForest,
  risk: KeptRisk,
  measure: PlanMeasure,
): PlanInput & { readonly ofNode: Float64Array } {
  const forest = restoreForest(kept);
  const [c, h, m, e] = WEIGHTS[measure];
  const weights = risk.critical.map(
    (count, row) =>
      c * count + h * (risk.high[row] ?? 0) + m * (risk.medium[row] ?? 0) + e * (risk.exploited[row] ?? 0),
  );
  // Rows of nodes stand for chains: a node's own layers are one stretch.
  const changes = { chains: risk.nodes, fromDepths: risk.fromDepths, weights };
  const { risks, ofNode } = traceRisks(forest, { parents: kept.parents }, changes);
  return {
    forest,
    risks,
    ofNode,
    candidates: forest.kind.map((kind) => Number(kind === KNOWN)),
    // The images of one repository on which nothing stands come from one source.
    groups: forest.repository.map((repository, node) =>
      forest.beneath[node] === 0 && repository >= 0 ? repository : -1,
    ),
  };
}
