import { orderChains } from "./chain-order.ts";
import { settleClaims } from "./declared-bases.ts";
import { LineageError } from "./errors.ts";
import {
  BASE_HOWS,
  type ChainColumns,
  type Forest,
  type ImageColumns,
  NO_REPOSITORY,
  NODE_KINDS,
  SEVERAL_REPOSITORIES,
} from "./forest.ts";
import { representatives } from "./representatives.ts";
import { countStanding } from "./standing.ts";

const KNOWN = NODE_KINDS.indexOf("known");
const DELETED = NODE_KINDS.indexOf("deleted");
const ANONYMOUS = NODE_KINDS.indexOf("anonymous");
const CACHE = NODE_KINDS.indexOf("cache");
const BY_LAYERS = BASE_HOWS.indexOf("layers");
const BY_WORD = BASE_HOWS.indexOf("declared");

/** A chain's bits: an image ends here; images above it; they part here. */
const ENDS = 1;
const CARRIES = 2;
const PARTS = 4;

/**
 * Which image stands on which, from chains of layers. Images that are gone keep their place, so that deleting one changes
 * counts and never another image's base. Time and memory grow with chains and images alone.
 *
 * @throws LineageError `CHAINS_CYCLIC`, `CHAIN_TOO_DEEP`, `ROWS_INVALID`
 * @example
 * // debian (chain 0) under app (chain 1)
 * const forest = buildForest({ parents: Int32Array.of(-1, 0) }, {
 *   tops: Int32Array.of(0, 1), repositories: Int32Array.of(0, 1), alive: Uint8Array.of(1, 1), declared: Int32Array.of(-1, -1),
 * });
 * forest.base; // [-1, 0]
 */
export function buildForest(chains: ChainColumns, images: ImageColumns): Forest {
  checkImages(chains, images);
  const order = orderChains(chains.parents);
  const { marks, repositories } = gatherImages(chains, images, order.rows);
  const structure = placeNodes(chains, order.rows, order.layers, marks);
  const { size, chain, parent } = structure;
  const node = images.tops.map((top) => (top < 0 ? -1 : structure.nodeOfChain[top]!));
  const { ends, own } = countEnds(size, images, node);
  const repository = chain.map((row) => repositories[row]!);
  const kind = new Uint8Array(size);
  for (let at = 0; at < size; at++) {
    if (ends[at]! > 0) kind[at] = own[at]! > 0 ? KNOWN : DELETED;
    else kind[at] = repository[at] === SEVERAL_REPOSITORIES ? ANONYMOUS : CACHE;
  }
  const base = new Int32Array(size);
  const how = new Uint8Array(size);
  for (let at = 0; at < size; at++) {
    const below = parent[at]!;
    base[at] = below < 0 || kind[below] !== CACHE ? below : base[below]!;
    if (base[at]! >= 0) how[at] = BY_LAYERS;
  }
  const { declared, claim, imageClaim } = settleClaims({ parent, base, how }, images, node);
  const lower = parent.map((below, at) => (how[at] === BY_WORD ? base[at]! : below));
  return {
    ...{ size, chain, layers: structure.layers, parent, edge: structure.edge, kind, base, how, ends, own },
    ...countStanding({ size, lower, base, kind, own }),
    ...{ representative: representatives(size, images, node), repository, declared, claim },
    images: { node, base: node.map((at) => (at < 0 ? -1 : base[at]!)), claim: imageClaim },
  };
}

function countEnds(size: number, { alive }: ImageColumns, node: Int32Array) {
  const ends = new Int32Array(size);
  const own = new Int32Array(size);
  for (let image = 0; image < node.length; image++) {
    const at = node[image]!;
    if (at < 0) continue;
    ends[at]! += 1;
    own[at]! += alive[image]!;
  }
  return { ends, own };
}

function checkImages(chains: ChainColumns, { tops, repositories, alive, declared }: ImageColumns): void {
  const count = tops.length;
  if (repositories.length !== count || alive.length !== count || declared.length !== count) {
    throw new LineageError("ROWS_INVALID", "the columns of images have different lengths");
  }
  for (let image = 0; image < count; image++) {
    if (tops[image]! >= chains.parents.length) throw noRow(image, "chain", tops[image]!);
    if (declared[image]! >= count) throw noRow(image, "image", declared[image]!);
  }
}

function noRow(image: number, what: string, row: number): LineageError {
  return new LineageError("ROWS_INVALID", `image ${image} names ${what} ${row}, which is none`);
}

/** From the topmost chains down: where images end and part, and whose they are. */
function gatherImages(chains: ChainColumns, images: ImageColumns, rows: Int32Array) {
  const marks = new Uint8Array(rows.length);
  const repositories = new Int32Array(rows.length).fill(NO_REPOSITORY);
  for (let image = 0; image < images.tops.length; image++) {
    const top = images.tops[image]!;
    if (top < 0) continue;
    marks[top] = ENDS;
    repositories[top] = joined(repositories[top]!, images.repositories[image]!);
  }
  for (let index = rows.length - 1; index >= 0; index--) {
    const row = rows[index]!;
    const below = chains.parents[row]!;
    if (below < 0 || marks[row] === 0) continue;
    marks[below]! |= (marks[below]! & CARRIES) === 0 ? CARRIES : PARTS;
    repositories[below] = joined(repositories[below]!, repositories[row]!);
  }
  return { marks, repositories };
}

/** An image of no repository is no sign that its layers are shared. */
function joined(one: number, other: number): number {
  if (one === NO_REPOSITORY || one === other) return other;
  return other === NO_REPOSITORY ? one : SEVERAL_REPOSITORIES;
}

/** From the lowest chains up: numbers the nodes, and finds for each the node below and the first chain after it. */
function placeNodes(chains: ChainColumns, rows: Int32Array, layersOf: Int16Array, marks: Uint8Array) {
  const isNode = (row: number) => (marks[row]! & (ENDS | PARTS)) !== 0;
  let size = 0;
  for (const row of rows) if (isNode(row)) size += 1;
  const chain = new Int32Array(size);
  const layers = new Int16Array(size);
  const parent = new Int32Array(size);
  const edge = new Int32Array(size);
  /** For a chain that is a node its number, for another that of the next node below. */
  const nodeOfChain = new Int32Array(rows.length);
  const firstAfter = new Int32Array(rows.length);
  let next = 0;
  for (const row of rows) {
    if (marks[row] === 0) continue;
    const below = chains.parents[row]!;
    nodeOfChain[row] = below < 0 ? -1 : nodeOfChain[below]!;
    firstAfter[row] = below < 0 || isNode(below) ? row : firstAfter[below]!;
    if (!isNode(row)) continue;
    chain[next] = row;
    layers[next] = layersOf[row]!;
    parent[next] = nodeOfChain[row]!;
    edge[next] = firstAfter[row]!;
    nodeOfChain[row] = next++;
  }
  return { size, chain, layers, parent, edge, nodeOfChain };
}
