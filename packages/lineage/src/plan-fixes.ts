import { LineageError } from "./errors.ts";
import { fixHeap } from "./fix-heap.ts";
import { harmonic, leastCost, mostCleared } from "./plan-bounds.ts";
import { type PlanCells, planCells } from "./plan-cells.ts";
import { checkPlanInput, type PlanInput } from "./plan-input.ts";

/** A share of all risk, above 0 to 1, at the least cost; or the most risk by so many fixes, whose costs then do not count. */
export type PlanGoal = { readonly share: number } | { readonly fixes: number };

export interface PlanStep {
  /** Nodes that are rebuilt, lowest first: one, or those of a group. */
  readonly nodes: readonly number[];
  /** The group; -1 for a single node. */
  readonly group: number;
  readonly cost: number;
  /** Risk that goes away with this step. */
  readonly gain: number;
  /** Risk that is gone after it, and its share of all. */
  readonly cleared: number;
  readonly share: number;
  /** Living images that this step takes risk from. */
  readonly images: number;
}

/** How far the plan may be from the best one. */
export type PlanBound =
  | {
      readonly kind: "cost";
      /** No plan of this kind ever costs more than so many times the least: H(n) by Wolsey (1982), Slavík (1997). */
      readonly guaranteed: number;
      /** No plan that clears as much costs less. */
      readonly least: number;
      /** So this plan costs at most so many times the least. */
      readonly factor: number;
    }
  | {
      readonly kind: "cleared";
      /** No plan of this kind ever clears less than this share of the best: 1 - 1/e by Nemhauser, Wolsey, Fisher (1978). */
      readonly guaranteed: number;
      /** No plan with as many fixes clears more. */
      readonly most: number;
      /** So this plan clears at least this share of the best. */
      readonly factor: number;
    };

export interface FixPlan {
  readonly steps: readonly PlanStep[];
  /** All risk there is. */
  readonly total: number;
  readonly cleared: number;
  readonly cost: number;
  /** Living images that any step takes risk from. */
  readonly images: number;
  /** Whether the goal was reached; if not, nothing that may be fixed would clear more. */
  readonly reached: boolean;
  readonly bound: PlanBound;
}

/**
 * Which rebuilds clear the most risk: weighted set cover by the greedy rule, each step the fix that clears the most for its
 * cost. Rebuilding a node with fixed packages clears what its own layers and those below it bring, in all that stands on it.
 *
 * - A share at the least cost is submodular cover: greedy costs at most H(min(largest gain, goal)) times the least, H(n) =
 *   1 + 1/2 + … + 1/n. Wolsey, "An analysis of the greedy algorithm for the submodular set covering problem", Combinatorica
 *   2 (1982); for partial covers Slavík, "Improved performance of the greedy algorithm for partial cover", Information
 *   Processing Letters 64 (1997).
 * - So many fixes is maximum coverage: greedy clears at least 1 - 1/e of the best. Nemhauser, Wolsey, Fisher, "An analysis
 *   of approximations for maximizing submodular set functions", Mathematical Programming 14 (1978).
 *
 * Both hold for any estate; `bound.factor` is computed for this very one and is mostly close to 1.
 *
 * @throws LineageError `PLAN_INVALID`, `PLAN_TOO_LARGE`
 * @example planFixes({ forest, risks, candidates }, { share: 0.6 }).steps[0] // { nodes: [0], gain: 31_000, share: 0.22, … }
 */
export function planFixes(input: PlanInput, goal: PlanGoal): FixPlan {
  checkPlanInput(input);
  checkGoal(goal);
  const state = planCells(input);
  const { total, fixes, gains } = state;
  const wanted = "share" in goal ? wholeShare(goal.share, total) : total;
  const mostSteps = "fixes" in goal ? goal.fixes : fixes.count;
  const costs = "fixes" in goal ? new Float64Array(fixes.count).fill(1) : fixes.costs;
  const bound = "share" in goal ? costBound(state, wanted) : clearedBound(state, goal.fixes);
  const steps: PlanStep[] = [];
  let [cleared, cost, images] = [0, 0, 0];
  const worth = (fix: number) => Math.min(gains[fix]!, wanted - cleared) / costs[fix]!;
  const heap = fixHeap(fixes.count, worth, (fix) => gains[fix]!);
  while (cleared < wanted && steps.length < mostSteps) {
    if (isPowerOfTwo(steps.length)) bound.look(cleared);
    const fix = heap.takeBest();
    if (fix === undefined) break;
    const applied = state.apply(fix);
    cleared += applied.gain;
    cost += fixes.costs[fix]!;
    images += applied.newImages;
    const nodes = fixes.nodes[fix]!;
    const group = input.groups?.[nodes[0]!] ?? -1;
    const { gain, images: touched } = applied;
    steps.push({ nodes, group, cost: fixes.costs[fix]!, gain, cleared, share: cleared / total, images: touched });
  }
  const reached = "share" in goal ? cleared >= wanted : steps.length === goal.fixes || cleared === total;
  return { steps, total, cleared, cost, images, reached, bound: bound.told(cleared, cost) };
}

function checkGoal(goal: PlanGoal): void {
  const isSound =
    "share" in goal ? goal.share > 0 && goal.share <= 1 : Number.isSafeInteger(goal.fixes) && goal.fixes > 0;
  if (isSound) return;
  const next = "ask for a share above 0 and up to 1, or for one fix or more";
  throw new LineageError("PLAN_INVALID", `no plan leads to ${JSON.stringify(goal)}`, next);
}

/** The least whole number that is such a share, not one more for a rounding error. */
function wholeShare(share: number, total: number): number {
  return Math.min(total, Math.ceil(Number((share * total).toPrecision(14))));
}

/** Bounds are looked for at the beginning and after 1, 2, 4, … steps: each look reads all gains. */
function isPowerOfTwo(steps: number): boolean {
  return (steps & (steps - 1)) === 0;
}

interface BoundSearch {
  look(cleared: number): void;
  told(cleared: number, cost: number): PlanBound;
}

function costBound({ fixes, gains }: PlanCells, wanted: number): BoundSearch {
  const largest = gains.reduce((most, gain) => Math.max(most, gain), 0);
  const guaranteed = Math.max(1, harmonic(Math.min(largest, wanted)));
  let least = 0;
  return {
    look(cleared) {
      least = Math.max(least, leastCost(gains, fixes.costs, wanted - cleared));
    },
    told(cleared, cost) {
      // A goal that cannot be reached is no measure: then greedy took everything that clears anything.
      if (cleared < wanted) return { kind: "cost", guaranteed, least: 0, factor: guaranteed };
      return { kind: "cost", guaranteed, least, factor: least === 0 ? 1 : Math.min(guaranteed, cost / least) };
    },
  };
}

function clearedBound({ total, gains }: PlanCells, count: number): BoundSearch {
  let most = total;
  const look = (cleared: number) => {
    most = Math.min(most, cleared + mostCleared(gains, count));
  };
  return {
    look,
    told(cleared) {
      look(cleared);
      const guaranteed = 1 - 1 / Math.E;
      return { kind: "cleared", guaranteed, most, factor: most === 0 ? 1 : Math.max(guaranteed, cleared / most) };
    },
  };
}
