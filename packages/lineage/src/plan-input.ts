import { LineageError } from "./errors.ts";
import { BASE_HOWS, type Forest, NODE_KINDS } from "./forest.ts";
import { type Preorder, preorder, standsOn } from "./preorder.ts";
import { lowerFirst } from "./standing.ts";

/** Cells of risk held at once, eight bytes each: beyond it the estate is cut up by whoever asks. */
const MAX_CELLS = 150_000_000;
/** Beyond so many stages a way ends at the next declared base. */
const MAX_STAGES_AT_WORD = 32;
const BY_WORD = BASE_HOWS.indexOf("declared");
const CACHE = NODE_KINDS.indexOf("cache");

/** Where the risk of images comes from, in columns. */
export interface RiskColumns {
  /** Node at which the images end. */
  readonly nodes: Int32Array;
  /** The stage whose layers bring the risk: that node, or one that it stands on. Never a cache. */
  readonly stages: Int32Array;
  /** How much risk the stage brings to all living images that end at the node together: whole numbers. */
  readonly weights: Float64Array;
}

/** What may be fixed, and what is known of the risk. Columns have an entry for each node of the forest. */
export interface PlanInput {
  readonly forest: Forest;
  readonly risks: RiskColumns;
  /** 1 for nodes that can be rebuilt. */
  readonly candidates: Uint8Array;
  /** Nodes of one group are rebuilt by one fix (the images of one repository, from one source); -1 for none. */
  readonly groups?: Int32Array | undefined;
  /** What rebuilding a node costs, more than 0; a group costs as much as its dearest node. Without it everything costs 1. */
  readonly costs?: Float64Array | undefined;
}

/** @throws LineageError `PLAN_INVALID`, `PLAN_TOO_LARGE` */
export function checkPlanInput({ forest, candidates, groups, costs }: PlanInput): void {
  for (const [name, column] of Object.entries({ candidates, groups, costs })) {
    if (column !== undefined && column.length !== forest.size) {
      throw new LineageError(
        "PLAN_INVALID",
        `the column ${name} does not have an entry for each of ${forest.size} nodes`,
      );
    }
  }
  if (costs?.some((cost) => !(cost > 0 && cost < Number.POSITIVE_INFINITY)) === true) {
    throw new LineageError("PLAN_INVALID", "a fix that costs nothing, or no number", "give every node a cost above 0");
  }
}

/** On what each node stands for a plan. */
export interface Ways {
  readonly base: Int32Array;
  /** Number of stages below each node. */
  readonly level: Int32Array;
  readonly places: Preorder;
}

/**
 * Layers bound how far down a way leads, words do not: a thousand squashed images may each name the next. Ways are cut at
 * words, so that nobody can make plans as large as the square of what he pushes.
 */
export function waysOf({ base, how }: Forest): Ways {
  const cut = base.slice();
  const level = new Int32Array(base.length);
  for (const node of lowerFirst(base)) {
    if (base[node]! < 0) continue;
    level[node] = level[base[node]!]! + 1;
    if (how[node] !== BY_WORD || level[node]! <= MAX_STAGES_AT_WORD) continue;
    cut[node] = -1;
    level[node] = 0;
  }
  return { base: cut, level, places: preorder(cut) };
}

/** Calls back for every piece of risk, once it is seen to make sense. */
export function eachRisk(
  forest: Forest,
  { nodes, stages, weights }: RiskColumns,
  visit: (node: number, stage: number, weight: number) => void,
): void {
  if (stages.length !== nodes.length || weights.length !== nodes.length) {
    throw new LineageError("PLAN_INVALID", "the columns of risks have different lengths");
  }
  const places = preorder(forest.base);
  for (let row = 0; row < nodes.length; row++) {
    const [node, stage, weight] = [nodes[row]!, stages[row]!, weights[row]!];
    if (!isNode(forest, node) || !isNode(forest, stage) || !standsOn(places, node, stage)) {
      throw new LineageError("PLAN_INVALID", `risk ${row}: node ${node} does not stand on its stage ${stage}`);
    }
    if (!Number.isSafeInteger(weight) || weight < 0) {
      throw new LineageError("PLAN_INVALID", `risk ${row}: its weight ${weight} is no whole number`);
    }
    visit(node, stage, weight);
  }
}

function isNode({ size, kind }: Forest, node: number): boolean {
  return node >= 0 && node < size && kind[node] !== CACHE;
}

/** Where the cells of each node begin: one for each stage on its way, the lowest first. Caches have none. */
export function cellOffsets({ size, kind }: Forest, { level }: Ways): Float64Array {
  const offsets = new Float64Array(size + 1);
  for (let node = 0; node < size; node++) {
    offsets[node + 1] = offsets[node]! + (kind[node] === CACHE ? 0 : level[node]! + 1);
  }
  if (offsets[size]! > MAX_CELLS) {
    const next = "plan for a part of the estate: a registry, an owner";
    throw new LineageError(
      "PLAN_TOO_LARGE",
      `${offsets[size]} pairs of image and base are too many for one plan`,
      next,
    );
  }
  return offsets;
}
