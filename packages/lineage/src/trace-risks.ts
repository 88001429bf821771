import { LineageError } from "./errors.ts";
import { BASE_HOWS, type ChainColumns, type Forest, NODE_KINDS } from "./forest.ts";
import type { RiskColumns } from "./plan-input.ts";

const BY_LAYERS = BASE_HOWS.indexOf("layers");
const CACHE = NODE_KINDS.indexOf("cache");

/** What layers change of the risk of an image, in columns: a row for a chain and the layer that its change is about. */
export interface RiskChanges {
  /** Row of the chain whose topmost layer makes the change. */
  readonly chains: Int32Array;
  /** Number of the layer that brought what is concerned, from 0: the chain's own, or a lower one of which it takes away. */
  readonly fromDepths: Int16Array;
  /** How much risk comes, or goes when negative: whole numbers. */
  readonly weights: Float64Array;
}

export interface TracedRisks {
  /** For {@link planFixes}: what each stage brings to the living images of each node together. */
  readonly risks: RiskColumns;
  /** Risk of one image that ends at the node, an entry for each node. */
  readonly ofNode: Float64Array;
}

/**
 * Finds for each image which stage its risk comes from, by adding up what the layers on its way bring and take away. What
 * builds of one repository share counts as brought by the image above.
 *
 * @throws LineageError `ROWS_INVALID`
 */
export function traceRisks(forest: Forest, chains: ChainColumns, changes: RiskChanges): TracedRisks {
  const { size, parent, base, how, layers, own, kind } = forest;
  const lower = base.map((below, node) => (how[node] === BY_LAYERS ? below : -1));
  /** Each node has a cell for each stage of its layers, the lowest first, its own last. */
  const offsets = new Float64Array(size + 1);
  const stages = new Int16Array(size);
  for (let node = 0; node < size; node++) {
    stages[node] = lower[node]! < 0 ? 1 : stages[lower[node]!]! + 1;
    offsets[node + 1] = offsets[node]! + stages[node]!;
  }
  const cells = new Float64Array(offsets[size]!);
  eachChange(ownersOf(forest, chains), changes, (node, fromDepth, weight) => {
    let at = node;
    while (lower[at]! >= 0 && fromDepth < layers[lower[at]!]!) at = lower[at]!;
    cells[offsets[node]! + stages[at]! - 1]! += weight;
  });
  const ofNode = new Float64Array(size);
  let count = 0;
  for (let node = 0; node < size; node++) {
    const below = parent[node]!;
    // On a base the node has one cell more than it, on a cache as many: what is the cache's own is the node's own.
    for (let stage = 0; below >= 0 && stage < stages[below]!; stage++) {
      cells[offsets[node]! + stage]! += cells[offsets[below]! + stage]!;
    }
    for (let cell = offsets[node]!; cell < offsets[node + 1]!; cell++) {
      ofNode[node]! += Math.max(0, cells[cell]!);
      if (own[node]! > 0 && kind[node] !== CACHE && cells[cell]! > 0) count += 1;
    }
  }
  const risks = { nodes: new Int32Array(count), stages: new Int32Array(count), weights: new Float64Array(count) };
  let row = 0;
  for (let node = 0; node < size; node++) {
    if (own[node] === 0) continue;
    for (let stage = node; stage >= 0; stage = lower[stage]!) {
      const weight = cells[offsets[node]! + stages[stage]! - 1]!;
      if (weight <= 0) continue;
      risks.nodes[row] = node;
      risks.stages[row] = stage;
      risks.weights[row++] = weight * own[node]!;
    }
  }
  return { risks, ofNode };
}

/** For each chain the node on whose stretch it lies; -1 for one that no image has. */
function ownersOf({ size, chain, edge }: Forest, { parents }: ChainColumns): Int32Array {
  const owners = new Int32Array(parents.length).fill(-1);
  for (let node = 0; node < size; node++) {
    for (let row = chain[node]!; row !== edge[node]; row = parents[row]!) owners[row] = node;
    owners[edge[node]!] = node;
  }
  return owners;
}

function eachChange(
  owners: Int32Array,
  { chains, fromDepths, weights }: RiskChanges,
  visit: (node: number, fromDepth: number, weight: number) => void,
): void {
  if (fromDepths.length !== chains.length || weights.length !== chains.length) {
    throw new LineageError("ROWS_INVALID", "the columns of changes have different lengths");
  }
  for (let row = 0; row < chains.length; row++) {
    const node = owners[chains[row]!];
    if (node === undefined)
      throw new LineageError("ROWS_INVALID", `change ${row} is of chain ${chains[row]}, which is none`);
    if (!Number.isSafeInteger(weights[row])) {
      throw new LineageError("ROWS_INVALID", `change ${row}: its weight ${weights[row]} is no whole number`);
    }
    if (node >= 0) visit(node, fromDepths[row]!, weights[row]!);
  }
}
