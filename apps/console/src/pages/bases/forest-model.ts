import type { LineageNode } from "../../api/contract.ts";
import { type Circle, type Packing, startPacking } from "./pack.ts";

/** What is drawn as one circle: a node, or all that was not read yet of what stands on the same. */
export interface Disc extends Circle {
  readonly level: Level;
  readonly node: LineageNode | undefined;
  /** Of a disc without node: how many nodes it stands for, and how many images each of them carries at most. */
  readonly rest?: { readonly nodes: number; readonly most: number };
}

/** What stands right on one node, or on nothing. */
export interface Level {
  readonly under: Disc | undefined;
  readonly discs: Disc[];
  readonly nodes: LineageNode[];
  /** The circle around all discs: its middle and its radius. */
  middle: { readonly x: number; readonly y: number };
  reach: number;
  /** Where reading goes on; absent when all was read. */
  next: string | undefined;
  /** All that stands there, as far as it is known. */
  total: Total | undefined;
  packing: Packing;
}

export interface Total {
  readonly nodes: number;
  readonly images: number;
}

/** How much of a circle its content takes: the rest is its border, on which its name stands. */
const INSIDE = 0.86;

export function levelOf(under: Disc | undefined, total: Total | undefined): Level {
  return {
    under,
    discs: [],
    nodes: [],
    middle: { x: 0, y: 0 },
    reach: 0,
    next: undefined,
    total,
    packing: startPacking(),
  };
}

/** Images that a node carries, and those that end there. */
function weightOf(node: LineageNode): number {
  return Math.max(1, node.beneath + node.live);
}

/**
 * Puts nodes into a level. They come with those that carry the most first, so that whatever was placed stays where it is.
 *
 * @param showRest whether one disc stands for all that was not read
 */
export function addNodes(
  level: Level,
  nodes: readonly LineageNode[],
  next: string | undefined,
  showRest: boolean,
): void {
  level.next = next;
  level.nodes.push(...nodes);
  const added: Disc[] = nodes.map((node) => ({ level, node, r: Math.sqrt(weightOf(node)), x: 0, y: 0 }));
  if (level.discs.at(-1)?.node === undefined) {
    // What stood for the rest gives way: all are placed again, where they were.
    added.unshift(...level.discs.splice(0).filter(({ node }) => node !== undefined));
    level.packing = startPacking();
  }
  const rest = showRest ? restOf(level) : undefined;
  if (rest !== undefined) added.push(rest);
  for (const disc of added) {
    level.packing.add(disc);
    level.discs.push(disc);
  }
  surround(level);
}

/** A circle around the box of all discs: not the least one, but near it. */
function surround(level: Level): void {
  let [left, top, right, bottom, reach] = [0, 0, 0, 0, 0];
  for (const { x, y, r } of level.discs) {
    left = Math.min(left, x - r);
    right = Math.max(right, x + r);
    top = Math.min(top, y - r);
    bottom = Math.max(bottom, y + r);
  }
  const middle = { x: (left + right) / 2, y: (top + bottom) / 2 };
  for (const { x, y, r } of level.discs) reach = Math.max(reach, Math.hypot(x - middle.x, y - middle.y) + r);
  level.middle = middle;
  level.reach = reach;
}

/** All of a level, in its own coordinates. */
export const wholeOf = ({ middle, reach }: Level): Place => ({ ...middle, r: reach });

function restOf(level: Level): Disc | undefined {
  const { next, nodes, total } = level;
  const last = nodes.at(-1);
  if (next === undefined || last === undefined) return undefined;
  const left = Math.max(1, (total?.nodes ?? 0) - nodes.length);
  const images = (total?.images ?? 0) - nodes.reduce((sum, node) => sum + weightOf(node), 0);
  const r = Math.sqrt(Math.max(left, Math.min(images, left * weightOf(last))));
  return { level, node: undefined, rest: { nodes: left, most: last.beneath }, r, x: 0, y: 0 };
}

/** Where a disc lies in the coordinates of the roots. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly r: number;
}

/** By how much the content of a disc is drawn smaller than the disc itself. */
export function scaleInside(disc: Place, inside: Level): number {
  return inside.reach === 0 ? 1 : (INSIDE * disc.r) / inside.reach;
}

/** @example placeOf(disc).r // how large it is drawn where a root's image takes one square */
export function placeOf(disc: Disc): Place {
  const { under } = disc.level;
  if (under === undefined) return disc;
  const around = placeOf(under);
  const scale = scaleInside(around, disc.level);
  const { middle } = disc.level;
  return { x: around.x + (disc.x - middle.x) * scale, y: around.y + (disc.y - middle.y) * scale, r: disc.r * scale };
}
