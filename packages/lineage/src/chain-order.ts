import { LineageError } from "./errors.ts";

/**
 * Chains with more layers are refused. Linux's overlay file system stacks at most 500 (OVL_MAX_STACK, fs/overlayfs), Docker
 * takes 127: no image beyond this bound can run.
 */
export const MAX_LAYERS = 1_000;

/** How many layers each chain has, and the chains by that number, ascending; equals keep the order of their rows. */
export interface ChainOrder {
  readonly layers: Int16Array;
  readonly rows: Int32Array;
}

const ON_PATH = -1;

/**
 * Counts the layers of every chain, each chain visited once.
 *
 * @throws LineageError `CHAINS_CYCLIC`, `CHAIN_TOO_DEEP` (also for a cycle of more than {@link MAX_LAYERS} chains),
 *   `ROWS_INVALID`
 */
export function orderChains(parents: Int32Array): ChainOrder {
  const layers = countLayers(parents);
  const starts = new Int32Array(MAX_LAYERS + 2);
  for (const count of layers) starts[count + 1]! += 1;
  for (let count = 1; count < starts.length; count++) starts[count]! += starts[count - 1]!;
  const rows = new Int32Array(parents.length);
  for (let row = 0; row < parents.length; row++) rows[starts[layers[row]!]!++] = row;
  return { layers, rows };
}

function countLayers(parents: Int32Array): Int16Array {
  const layers = new Int16Array(parents.length);
  const path = new Int32Array(MAX_LAYERS);
  for (let row = 0; row < parents.length; row++) {
    let length = 0;
    let at = row;
    while (at >= 0 && layers[at] === 0) {
      if (length === MAX_LAYERS) throw tooDeep(row);
      layers[at] = ON_PATH;
      path[length++] = at;
      at = parentOf(parents, at);
    }
    if (at >= 0 && layers[at] === ON_PATH) {
      throw new LineageError(
        "CHAINS_CYCLIC",
        `chain ${row} lies beneath itself`,
        "delete the chain and scan its images again",
      );
    }
    const below = at < 0 ? 0 : layers[at]!;
    if (below + length > MAX_LAYERS) throw tooDeep(row);
    for (let index = 0; index < length; index++) layers[path[index]!] = below + length - index;
  }
  return layers;
}

function parentOf(parents: Int32Array, row: number): number {
  const parent = parents[row]!;
  if (parent >= parents.length)
    throw new LineageError("ROWS_INVALID", `chain ${row} stands on row ${parent}, which is none`);
  return parent;
}

function tooDeep(row: number): LineageError {
  const next = "rebuild the image with fewer layers: no container runtime stacks as many";
  return new LineageError("CHAIN_TOO_DEEP", `chain ${row} has more than ${MAX_LAYERS} layers`, next);
}
