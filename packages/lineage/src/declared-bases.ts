import { BASE_HOWS, CLAIMS, DECLARED_UNKNOWN, type ImageColumns, NOT_DECLARED } from "./forest.ts";
import { preorder, standsOn } from "./preorder.ts";

const NONE = CLAIMS.indexOf("none");
const AGREES = CLAIMS.indexOf("agrees");
const USED = CLAIMS.indexOf("used");
const CONTRADICTED = CLAIMS.indexOf("contradicted");
const UNRESOLVED = CLAIMS.indexOf("unresolved");
const CYCLIC = CLAIMS.indexOf("cyclic");
const BY_LAYERS = BASE_HOWS.indexOf("layers");
const BY_WORD = BASE_HOWS.indexOf("declared");

/** The columns of the forest that declarations read; `base` and `how` are completed in place. */
interface Bases {
  readonly parent: Int32Array;
  readonly base: Int32Array;
  readonly how: Uint8Array;
}

/**
 * Judges what images declare of their bases (annotations `org.opencontainers.image.base.*`, provenance). Layers are
 * evidence and declarations are words: a word counts only where the layers tell nothing. Words that lead in a circle count
 * for nothing, all of them, so that it does not matter which came first.
 */
export function settleClaims(bases: Bases, images: ImageColumns, node: Int32Array) {
  const places = preorder(bases.parent);
  const said = firstWords(bases.base.length, images, node);
  const declared = said.map((image) => (image < 0 ? -1 : named(image)));
  const claim = said.map((image, at) => (image < 0 ? NONE : judge(at, declared[at]!)));
  dropCircles(bases.base, declared, claim);
  for (let at = 0; at < claim.length; at++) {
    if (claim[at] !== USED) continue;
    bases.base[at] = declared[at]!;
    bases.how[at] = BY_WORD;
  }
  return { declared, claim: Uint8Array.from(claim), imageClaim: Uint8Array.from(node, claimOfImage) };

  /** The node that an image says it stands on. */
  function named(image: number): number {
    const base = images.declared[image]!;
    return base === DECLARED_UNKNOWN || base === NOT_DECLARED ? -1 : node[base]!;
  }

  function judge(at: number, on: number): number {
    if (on < 0) return UNRESOLVED;
    if (standsOn(places, at, on)) return AGREES;
    return bases.how[at] === BY_LAYERS ? CONTRADICTED : USED;
  }

  function claimOfImage(at: number, image: number): number {
    if (images.declared[image] === NOT_DECLARED) return NONE;
    const on = named(image);
    if (at < 0 || on < 0) return UNRESOLVED;
    if (on === declared[at]) return claim[at]!;
    return standsOn(places, at, on) ? AGREES : CONTRADICTED;
  }
}

/** For each node the first of its images that declares a base that is known, else the first that declares any: it speaks for the others. */
function firstWords(size: number, { declared }: ImageColumns, node: Int32Array): Int32Array {
  const first = new Int32Array(size).fill(-1);
  const isKnown = (image: number) => (node[declared[image]!] ?? -1) >= 0;
  for (let image = 0; image < node.length; image++) {
    const at = node[image]!;
    if (at < 0 || declared[image] === NOT_DECLARED) continue;
    if (first[at]! < 0 || (!isKnown(first[at]!) && isKnown(image))) first[at] = image;
  }
  return first;
}

/** Each node with a word leads to the lowest node, by layers, beneath what it names: follows every way once. */
function dropCircles(base: Int32Array, declared: Int32Array, claim: Int32Array): void {
  const lowest = base.slice();
  for (let at = 0; at < base.length; at++) lowest[at] = base[at]! < 0 ? at : lowest[base[at]!]!;
  const walk = new Int32Array(base.length).fill(-1);
  for (let start = 0; start < base.length; start++) {
    let at = start;
    while (claim[at] === USED && walk[at] === -1) {
      walk[at] = start;
      at = lowest[declared[at]!]!;
    }
    while (claim[at] === USED && walk[at] === start) {
      claim[at] = CYCLIC;
      at = lowest[declared[at]!]!;
    }
  }
}
