import { lowerFirst } from "./standing.ts";

/** Trees laid out flat: what stands on a node, and the node itself, are neighbours. */
export interface Preorder {
  /** Place of each node; what stands on it takes the places that follow. */
  readonly first: Int32Array;
  /** How many nodes stand on it, itself among them. */
  readonly sizes: Int32Array;
}

/** @param lower the node that each node stands on, -1 for none; without cycles */
export function preorder(lower: Int32Array): Preorder {
  const order = lowerFirst(lower);
  const sizes = new Int32Array(lower.length).fill(1);
  for (let index = order.length - 1; index >= 0; index--) {
    const at = order[index]!;
    if (lower[at]! >= 0) sizes[lower[at]!]! += sizes[at]!;
  }
  const first = new Int32Array(lower.length);
  const free = new Int32Array(lower.length);
  let taken = 0;
  for (const at of order) {
    const below = lower[at]!;
    if (below < 0) {
      first[at] = taken;
      taken += sizes[at]!;
    } else {
      first[at] = free[below]!;
      free[below]! += sizes[at]!;
    }
    free[at] = first[at]! + 1;
  }
  return { first, sizes };
}

/** Whether `upper` stands on `lower`, directly or not, or is it. */
export function standsOn({ first, sizes }: Preorder, upper: number, lower: number): boolean {
  const distance = first[upper]! - first[lower]!;
  return distance >= 0 && distance < sizes[lower]!;
}
