import { LineageError } from "./errors.ts";
import type { Forest } from "./forest.ts";
import { eachRisk, type RiskColumns } from "./plan-input.ts";
import { preorder, standsOn } from "./preorder.ts";

/** What if everything on one base stood on another? */
export interface Move {
  /** The base that would be left. */
  readonly from: number;
  /** The base that would take its place: another version, or another image altogether. */
  readonly onto: number;
  /** Risk that an image has from all layers of `onto`. */
  readonly riskPerImage: number;
}

export interface MoveEffect {
  /** Living images that would move: those that stand on `from`, without `onto` and what stands on it. */
  readonly images: number;
  /** Risk that they would lose, and get. */
  readonly cleared: number;
  readonly added: number;
}

/**
 * @throws LineageError `PLAN_INVALID`
 * @example simulateMove(forest, risks, { from: 3, onto: 8, riskPerImage: 2 }) // { images: 214_000, cleared: 61_000, added: 4_280 }
 */
export function simulateMove(forest: Forest, risks: RiskColumns, { from, onto, riskPerImage }: Move): MoveEffect {
  const places = preorder(forest.base);
  for (const node of [from, onto]) {
    if (!(node >= 0 && node < forest.size)) throw new LineageError("PLAN_INVALID", `there is no node ${node}`);
  }
  if (from === onto) throw new LineageError("PLAN_INVALID", `node ${from} cannot take its own place`);
  const moves = (node: number) => node !== from && standsOn(places, node, from) && !standsOn(places, node, onto);
  let cleared = 0;
  eachRisk(forest, risks, (node, stage, weight) => {
    if (moves(node) && standsOn(places, from, stage)) cleared += weight;
  });
  let images = 0;
  for (let node = 0; node < forest.size; node++) if (moves(node)) images += forest.own[node]!;
  return { images, cleared, added: images * riskPerImage };
}
