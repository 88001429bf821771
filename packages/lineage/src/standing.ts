import { NODE_KINDS } from "./forest.ts";

const CACHE = NODE_KINDS.indexOf("cache");

/** The columns of the forest that counting reads. */
interface Placed {
  readonly size: number;
  /** What each node rests on: its declared base where that counts, else the next node by layers. */
  readonly lower: Int32Array;
  readonly base: Int32Array;
  readonly kind: Uint8Array;
  readonly own: Int32Array;
}

/** Nodes in an order in which each comes after the node that the column names for it. The column must have no cycles. */
export function lowerFirst(lower: Int32Array): Int32Array {
  const starts = new Int32Array(lower.length + 1);
  for (const below of lower) if (below >= 0) starts[below + 1]! += 1;
  for (let at = 0; at < lower.length; at++) starts[at + 1]! += starts[at]!;
  const next = starts.slice();
  const upper = new Int32Array(lower.length);
  const order = new Int32Array(lower.length);
  let filled = 0;
  for (let at = 0; at < lower.length; at++) {
    if (lower[at]! >= 0) upper[next[lower[at]!]!++] = at;
    else order[filled++] = at;
  }
  for (let done = 0; done < filled; done++) {
    const at = order[done]!;
    for (let index = starts[at]!; index < starts[at + 1]!; index++) order[filled++] = upper[index]!;
  }
  return order;
}

/** Levels and roots from the bases up, images from the leaves down. */
export function countStanding({ size, lower, base, kind, own }: Placed) {
  const order = lowerFirst(lower);
  const level = new Int32Array(size);
  const root = new Int32Array(size);
  const dependents = new Int32Array(size);
  for (const at of order) {
    const below = base[at]!;
    level[at] = below < 0 ? 0 : level[below]! + 1;
    root[at] = below < 0 ? at : root[below]!;
    if (below >= 0 && kind[at] !== CACHE) dependents[below]! += 1;
  }
  const beneath = new Int32Array(size);
  for (let index = size - 1; index >= 0; index--) {
    const at = order[index]!;
    if (lower[at]! >= 0) beneath[lower[at]!]! += own[at]! + beneath[at]!;
  }
  return { level, root, dependents, beneath };
}
