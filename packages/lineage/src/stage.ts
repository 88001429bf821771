import { BASE_HOWS, type Forest } from "./forest.ts";

const BY_LAYERS = BASE_HOWS.indexOf("layers");
const BY_WORD = BASE_HOWS.indexOf("declared");

/** One stage on an image's way: a base, or the image itself. */
export interface Stage {
  readonly node: number;
  /** How many layers lie up to and including it: layers below this number are its own or lower ones'. */
  readonly layers: number;
}

/**
 * Who must act on a finding (its image's stages lowest first). `base`: a stage below brought it, to be fixed there; the image
 * waits and is rebuilt then. `own`: its own layers did, fix it here.
 */
export interface StageVerdict {
  readonly verdict: "base" | "own";
  /** Node of the stage that acts. */
  readonly node: number;
}

/**
 * The stages whose layers a node has, the lowest first and the node itself last. Caches are left out: what builds of one
 * repository share belongs to the image above. What a squashed image declares as its base is no stage of its layers.
 *
 * @example pathOf(forest, app) // [{ node: debian, layers: 1 }, { node: platform, layers: 4 }, { node: app, layers: 7 }]
 */
export function pathOf(forest: Forest, node: number): readonly Stage[] {
  const path: Stage[] = [];
  for (let at = node; at >= 0; at = forest.how[at] === BY_LAYERS ? forest.base[at]! : -1) {
    path.push({ node: at, layers: forest.layers[at]! });
  }
  return path.reverse();
}

/**
 * The stage that brought a layer.
 *
 * @param path stages, lowest first
 * @param fromDepth the layer's number, from 0 for the lowest
 * @returns undefined when the image has no such layer
 */
export function stageOf(path: readonly Stage[], fromDepth: number): Stage | undefined {
  return fromDepth < 0 ? undefined : path.find(({ layers }) => fromDepth < layers);
}

/**
 * Whether a finding is the base's or the image's own, and who acts.
 *
 * @param node where the image ends
 * @param fromDepth number of the layer that brought the finding, from 0
 * @param isInDeclaredBase of a squashed image, whose layers tell nothing: whether the base that it declares has the same finding
 * @returns undefined when the image has no such layer
 */
export function verdictOf(
  forest: Forest,
  node: number,
  fromDepth: number,
  isInDeclaredBase = false,
): StageVerdict | undefined {
  const path = pathOf(forest, node);
  const stage = stageOf(path, fromDepth);
  if (stage === undefined) return undefined;
  const isLowest = stage.node === path[0]?.node;
  if (isLowest && isInDeclaredBase && forest.how[stage.node] === BY_WORD) {
    return { verdict: "base", node: forest.base[stage.node]! };
  }
  return { verdict: stage.node === node ? "own" : "base", node: stage.node };
}
