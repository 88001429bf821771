import { cellOffsets, eachRisk, type PlanInput, type Ways, waysOf } from "./plan-input.ts";
import { standsOn } from "./preorder.ts";

/** The state of a plan: which risk is still there, and what each fix would clear of it. */
export interface PlanCells {
  readonly total: number;
  readonly fixes: Fixes;
  /** What each fix would clear now. */
  readonly gains: Float64Array;
  /** Carries a fix out. */
  apply(fix: number): Applied;
}

interface Applied {
  readonly gain: number;
  /** Living images from which it takes risk, and those of them from which no fix before it did. */
  readonly images: number;
  readonly newImages: number;
}

/** Fixes are numbered by their lowest node. */
interface Fixes {
  readonly count: number;
  /** The fix of each node, -1 for none. */
  readonly ofNode: Int32Array;
  readonly nodes: readonly (readonly number[])[];
  readonly costs: Float64Array;
}

/**
 * A piece of risk belongs to a stage s and a node m; the fix at a node n clears it when n lies on the way from s to m. A cell
 * (n, s) holds what is left of s in all that stands on n, so the fix at n gains the cells of n. Every cell is emptied once.
 */
export function planCells(input: PlanInput): PlanCells {
  const { forest } = input;
  const { size, own } = forest;
  const ways = waysOf(forest);
  const { base, level, places } = ways;
  const nodeAt = new Int32Array(size);
  for (let node = 0; node < size; node++) nodeAt[places.first[node]!] = node;
  const offsets = cellOffsets(forest, ways);
  const cells = new Float64Array(offsets[size]!);
  const carries = new Uint8Array(cells.length);
  let total = 0;
  eachRisk(forest, input.risks, (node, stage, weight) => {
    // What lies beyond a cut counts as brought by the lowest stage on this side: less is promised, not more.
    const cell = offsets[node]! + (standsOn(places, node, stage) ? level[stage]! : 0);
    cells[cell]! += weight;
    if (weight > 0) carries[cell] = 1;
    total += weight;
  });
  for (let place = size - 1; place >= 0; place--) {
    const node = nodeAt[place]!;
    const below = base[node]!;
    if (below < 0 || offsets[node] === offsets[node + 1]) continue;
    for (let stage = 0; stage <= level[below]!; stage++)
      cells[offsets[below]! + stage]! += cells[offsets[node]! + stage]!;
  }
  const fixes = gatherFixes(input);
  const counted = countedFrom(ways, fixes.ofNode);
  const gains = new Float64Array(fixes.count);
  for (let node = 0; node < size; node++) {
    if (fixes.ofNode[node]! < 0) continue;
    for (let stage = counted[node]!; stage <= level[node]!; stage++) {
      gains[fixes.ofNode[node]!]! += cells[offsets[node]! + stage]!;
    }
  }
  /** How many stages of each node are cleared, from the lowest. */
  const cleared = new Int32Array(size);
  const touchedBy = new Int32Array(size).fill(-1);
  return { total, fixes, gains, apply };

  function take(node: number, stage: number, amount: number): void {
    cells[offsets[node]! + stage]! -= amount;
    const fix = fixes.ofNode[node]!;
    if (fix >= 0 && stage >= counted[node]!) gains[fix]! -= amount;
  }

  function apply(fix: number): Applied {
    const applied = { gain: 0, images: 0, newImages: 0 };
    for (const node of fixes.nodes[fix]!) {
      for (let stage = cleared[node]!; stage <= level[node]!; stage++) {
        const amount = cells[offsets[node]! + stage]!;
        applied.gain += amount;
        if (amount === 0) continue;
        for (let below = base[node]!; below >= 0 && level[below]! >= stage; below = base[below]!) {
          take(below, stage, amount);
        }
      }
      const end = places.first[node]! + places.sizes[node]!;
      for (let place = places.first[node]!; place < end; place++) clear(nodeAt[place]!, level[node]!, fix, applied);
    }
    return applied;
  }

  /** Empties a node's cells up to a stage. */
  function clear(node: number, lastStage: number, fix: number, applied: { images: number; newImages: number }): void {
    if (offsets[node] === offsets[node + 1]) return;
    let touched = false;
    for (let stage = cleared[node]!; stage <= lastStage; stage++) {
      const cell = offsets[node]! + stage;
      if (carries[cell] === 1) touched = true;
      if (cells[cell]! > 0) take(node, stage, cells[cell]!);
    }
    cleared[node] = Math.max(cleared[node]!, lastStage + 1);
    if (!touched || touchedBy[node] === fix) return;
    applied.images += own[node]!;
    if (touchedBy[node] === -1) applied.newImages += own[node]!;
    touchedBy[node] = fix;
  }
}

function gatherFixes({ forest, candidates, groups, costs }: PlanInput): Fixes {
  const ofNode = new Int32Array(forest.size).fill(-1);
  const ofGroup = new Map<number, number>();
  const nodes: number[][] = [];
  const dearest: number[] = [];
  for (let node = 0; node < forest.size; node++) {
    if (candidates[node] === 0) continue;
    const group = groups?.[node] ?? -1;
    const fix = (group < 0 ? undefined : ofGroup.get(group)) ?? nodes.length;
    if (fix === nodes.length) {
      nodes.push([]);
      dearest.push(0);
      if (group >= 0) ofGroup.set(group, fix);
    }
    ofNode[node] = fix;
    nodes[fix]!.push(node);
    dearest[fix] = Math.max(dearest[fix]!, costs?.[node] ?? 1);
  }
  return { count: nodes.length, ofNode, nodes, costs: Float64Array.from(dearest) };
}

/**
 * The lowest stage that a node's cells count from in the gain of its fix: what lies lower is counted at a lower node of the
 * same fix already.
 */
function countedFrom({ base, level }: Ways, fixOf: Int32Array): Int32Array {
  const from = new Int32Array(base.length);
  for (let node = 0; node < base.length; node++) {
    if (fixOf[node]! < 0) continue;
    let below = base[node]!;
    while (below >= 0 && fixOf[below] !== fixOf[node]) below = base[below]!;
    from[node] = below < 0 ? 0 : level[below]! + 1;
  }
  return from;
}
