import { buildForest, CLAIMS, type Forest, measureSpread, type Spread, traceRisks } from "@bulwark/lineage";
import { type ChainRisk, type EstateColumns, type RiskRow, rebuildForest, type Store } from "@bulwark/store";

/** More than any image has layers. */
const DEPTHS = 32_768;

/** The spread as it is kept: bases are named by their chains, since numbers of nodes change with every build. */
export type KeptSpread = Omit<Spread, "topRoots" | "topBases"> & {
  readonly topRoots: readonly { readonly id: number; readonly images: number }[];
  readonly topBases: readonly { readonly id: number; readonly images: number }[];
};

/** Builds the whole forest of a tenant anew, mends what is kept of it, and measures the spread and where risk comes from. */
export async function measureForest(store: Store, tenantId: number, now: Date): Promise<KeptSpread> {
  const { result } = await rebuildForest(store, tenantId, CLAIMS, (estate, risk) => {
    const forest = buildForest(estate.chains, estate.images);
    const idOf = (node: number) => estate.chains.ids[forest.chain[node] ?? -1] ?? -1;
    const named = (top: Spread["topRoots"]) => top.map(({ node, images }) => ({ id: idOf(node), images }));
    const spread = measureSpread(forest, estate.images, factsOf(forest, estate, risk, now));
    return {
      forest,
      risks: riskRows(forest, estate, risk),
      result: { ...spread, topRoots: named(spread.topRoots), topBases: named(spread.topBases) },
    };
  });
  return result;
}

/** Findings from the layers, since nobody ever scanned an anonymous base; ages from the images. */
function factsOf(forest: Forest, { chains, images }: EstateColumns, risk: ChainRisk, now: Date) {
  const changed = {
    chains: Int32Array.from(risk.chains, (id) => chains.rowOf(id)),
    fromDepths: Int16Array.from(risk.fromDepths),
  };
  const count = (weights: Float64Array) => Int32Array.from(traceRisks(forest, chains, { ...changed, weights }).ofNode);
  return {
    critical: count(risk.critical),
    high: count(risk.high),
    medium: count(risk.medium),
    low: count(risk.low),
    builtAt: Float64Array.from(forest.representative, (image) => images.builtAt[image] ?? Number.NaN),
    now: now.getTime(),
  };
}

/** What can be fixed by node, from what single layers bring: a layer's belongs to the node on whose stretch it lies. */
function* riskRows(forest: Forest, { chains }: EstateColumns, risk: ChainRisk): Generator<RiskRow> {
  const nodeOfChain = stretches(forest, chains.parents);
  const { critical, high, medium, exploited } = risk.fixable;
  const counted = [critical, high, medium, exploited];
  const placeOf = new Map<number, number>();
  const sums = counted.map((column) => new Int32Array(column.length));
  for (const [at, id] of risk.chains.entries()) {
    const node = nodeOfChain[chains.rowOf(id)] ?? -1;
    if (node < 0) continue;
    const key = node * DEPTHS + (risk.fromDepths[at] ?? 0);
    const place = placeOf.get(key) ?? placeOf.size;
    placeOf.set(key, place);
    for (const [kind, sum] of sums.entries()) sum[place] = (sum[place] ?? 0) + (counted[kind]?.[at] ?? 0);
  }
  for (const [key, place] of placeOf) {
    const [c = 0, h = 0, m = 0, e = 0] = sums.map((sum) => sum[place]);
    if (c === 0 && h === 0 && m === 0 && e === 0) continue;
    yield [chains.ids[forest.chain[Math.floor(key / DEPTHS)] ?? -1] ?? -1, key % DEPTHS, c, h, m, e];
  }
}

/** For each chain the lowest node above it or at it: the one whose own layers it is among. -1 where there is none. */
function stretches({ size, chain, parent }: Forest, below: Int32Array): Int32Array {
  const nodes = new Int32Array(below.length).fill(-1);
  for (let node = 0; node < size; node++) {
    const end = chain[parent[node] ?? -1] ?? -1;
    for (let at = chain[node] ?? -1; at >= 0 && at !== end; at = below[at] ?? -1) nodes[at] = node;
  }
  return nodes;
}
