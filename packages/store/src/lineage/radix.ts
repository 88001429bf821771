import type { ClaimState } from "../schema/lineage.ts";

/** A node of the forest as the store keeps it. All names are ids of chains. */
export interface ForestNode {
  readonly chainId: number;
  readonly layers: number;
  readonly parentId: number | null;
  /** The first chain above the parent. */
  readonly edgeId: number;
  readonly images: number;
  readonly live: number;
  readonly beneath: number;
  readonly repositoryId: number | null;
  readonly several: boolean;
  readonly imageId: number | null;
  readonly declaredId: number | null;
  readonly claim: ClaimState;
}

/** The part of the forest that a change touches: what is not loaded is not there. */
export interface ForestPart {
  /** Chain → the chain below it; null for a lowest layer. */
  readonly below: ReadonlyMap<number, number | null>;
  readonly nodes: Map<number, ForestNode>;
  /** First chain above a parent → node. */
  readonly edges: Map<number, number>;
  readonly changed: Set<number>;
}

function putNode(part: ForestPart, node: ForestNode): void {
  part.nodes.set(node.chainId, node);
  part.edges.set(node.edgeId, node.chainId);
  part.changed.add(node.chainId);
}

/** The chain and all below it, lowest first. */
export function pathOf(part: ForestPart, chain: number): readonly number[] {
  const path: number[] = [];
  for (let at: number | null | undefined = chain; at !== null; at = part.below.get(at)) {
    if (at === undefined) throw new Error(`chain ${path.at(-1)} is not loaded`);
    path.push(at);
  }
  return path.reverse();
}

/**
 * Makes a chain a node, as insertion into a radix tree does: it becomes a leaf, or splits the one stretch that it lies on,
 * or parts from a stretch, at a branch point that is made a node too. At most two nodes are made and one moves.
 *
 * @returns the nodes that were made
 */
export function insertChain(part: ForestPart, chain: number): readonly number[] {
  if (part.nodes.has(chain)) return [];
  const path = pathOf(part, chain);
  const under = path.findLastIndex((each) => part.nodes.has(each));
  const edgeId = path[under + 1];
  if (edgeId === undefined) throw new Error("a chain that is no node lies above its nearest node");
  const parentId = path[under] ?? null;
  const occupant = part.nodes.get(part.edges.get(edgeId) ?? -1);
  if (occupant === undefined) {
    putNode(part, emptyNode(chain, path.length, parentId, edgeId));
    return [chain];
  }
  const { branch, shared } = splitStretch(part, occupant, path);
  if (branch === chain) return [chain];
  putNode(part, emptyNode(chain, path.length, branch, path[shared] ?? chain));
  return [branch, chain];
}

/** Makes the last chain that a node shares with a path a node of its own, between that node and the one below it. */
function splitStretch(part: ForestPart, above: ForestNode, path: readonly number[]) {
  const other = pathOf(part, above.chainId);
  const shared = sharedLength(path, other);
  const branch = path[shared - 1];
  const edgeId = other[shared];
  if (branch === undefined || edgeId === undefined) throw new Error("two chains of one stretch share nothing");
  putNode(part, {
    ...emptyNode(branch, shared, above.parentId, above.edgeId),
    // What stands on a declared base is counted there.
    beneath: above.claim === "used" ? 0 : above.beneath + above.live,
    repositoryId: above.repositoryId,
    several: above.several,
  });
  putNode(part, { ...above, parentId: branch, edgeId });
  return { branch, shared };
}

function emptyNode(chainId: number, layers: number, parentId: number | null, edgeId: number): ForestNode {
  return {
    chainId,
    layers,
    parentId,
    edgeId,
    images: 0,
    live: 0,
    beneath: 0,
    repositoryId: null,
    several: false,
    imageId: null,
    declaredId: null,
    claim: "none",
  };
}

function sharedLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

/** Whether images are said to stand on it: a branch point within one repository is that repository's build cache. */
export function isBase({ images, several }: ForestNode): boolean {
  return images > 0 || several;
}

/** The node that a node stands on as far as layers tell, build caches left out. */
export function baseByLayers(part: ForestPart, node: ForestNode): ForestNode | undefined {
  for (let at = parentOf(part, node); at !== undefined; at = parentOf(part, at)) if (isBase(at)) return at;
  return undefined;
}

export function parentOf(part: ForestPart, { parentId }: ForestNode): ForestNode | undefined {
  return parentId === null ? undefined : part.nodes.get(parentId);
}

export function setNode(part: ForestPart, node: ForestNode): void {
  part.nodes.set(node.chainId, node);
  part.changed.add(node.chainId);
}

/** Adds to the number of live images of everything that a node stands on. */
export function addBeneath(part: ForestPart, from: ForestNode, delta: number): void {
  if (delta === 0) return;
  for (let at = lowerOf(part, from); at !== undefined; at = lowerOf(part, at)) {
    setNode(part, { ...at, beneath: at.beneath + delta });
  }
}

/** The next node down: by layers, or by declaration where layers know no base. */
export function lowerOf(part: ForestPart, node: ForestNode): ForestNode | undefined {
  if (node.declaredId !== null && node.claim === "used") return part.nodes.get(node.declaredId);
  return parentOf(part, node);
}
