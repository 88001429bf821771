import { type Coverage, coverageOf } from "./coverage.ts";
import { LineageError } from "./errors.ts";
import { type Forest, type ImageColumns, NODE_KINDS } from "./forest.ts";

/** Upper bounds of the buckets of ages, in days; what is older comes after the last. */
export const AGE_DAYS = [30, 90, 180, 365, 730] as const;
/** How many of the bases with the most images are named. */
const TOP_BASES = 20;
const DAY_MS = 86_400_000;
const CACHE = NODE_KINDS.indexOf("cache");

/** What is known of the layers up to each node, an entry for each. */
export interface SpreadFacts {
  /** Findings of each severity in an image that ends there. */
  readonly critical: Int32Array;
  readonly high: Int32Array;
  readonly medium: Int32Array;
  readonly low: Int32Array;
  /** When it was built, in milliseconds since 1970; NaN where nobody says. */
  readonly builtAt: Float64Array;
  /** The time by which ages are told, likewise. */
  readonly now: number;
}

/** Bases, and living images that stand on them directly. */
export interface Share {
  readonly bases: number;
  readonly images: number;
}

/** How the living images of an estate stand on its bases. A base is in use when a living image stands on it. */
export interface Spread {
  /** Living images: `standing`, `bottom`, `isolated` and `layerless` together. */
  readonly images: number;
  /** Images that stand on a base. */
  readonly standing: number;
  /** Images that stand on nothing and carry others. */
  readonly bottom: number;
  /** Images that stand on nothing and on which nothing stands. */
  readonly isolated: number;
  /** Images without layers. */
  readonly layerless: number;
  /** Bases in use that stand on nothing. */
  readonly roots: number;
  /** Bases in use. */
  readonly bases: number;
  /** Images by the lowest base beneath them. */
  readonly byRoot: Coverage;
  /** Images by the base that they stand on directly. */
  readonly byBase: Coverage;
  /** Bases in use with findings, by severity; `any` with one of the four. */
  readonly flawed: Readonly<Record<"critical" | "high" | "medium" | "low" | "any", Share>>;
  /** Bases in use by age, youngest first. `days` is the bucket's upper bound. */
  readonly ages: readonly (Share & { readonly days: number | "older" | "unknown" })[];
  /** Images that stand on so many bases one upon another: the index. Images without layers are left out. */
  readonly depths: readonly number[];
  /** Bases in use on which at least 2^index and fewer than 2^(index+1) images stand directly. */
  readonly degrees: readonly number[];
  /** Bases in use on which only other bases stand directly: they are in none of the `degrees`. */
  readonly indirect: number;
  /** Those that carry the most images, most first, equals by number of node. */
  readonly topRoots: readonly { readonly node: number; readonly images: number }[];
  readonly topBases: readonly { readonly node: number; readonly images: number }[];
}

/**
 * Counts how images spread over bases. All numbers are exact.
 *
 * @throws LineageError `ROWS_INVALID` when a column has not an entry for each node (of `images`: for each image)
 * @example measureSpread(forest, images, facts).byRoot.reached[0] // { percent: 50, bases: 13 }
 */
export function measureSpread(forest: Forest, images: ImageColumns, facts: SpreadFacts): Spread {
  checkColumns(forest, images, facts);
  const { size, base, own, beneath, kind, level } = forest;
  const carriedByRoot = new Int32Array(size);
  const carriedByBase = new Int32Array(size);
  const depths: number[] = [];
  let [standing, bottom, isolated, roots, bases] = [0, 0, 0, 0, 0];
  for (let node = 0; node < size; node++) {
    const below = base[node]!;
    if (below >= 0) {
      standing += own[node]!;
      carriedByBase[below]! += own[node]!;
    } else if (beneath[node]! > 0) bottom += own[node]!;
    else isolated += own[node]!;
    if (own[node]! > 0) depths[level[node]!] = (depths[level[node]!] ?? 0) + own[node]!;
    if (beneath[node] === 0 || kind[node] === CACHE) continue;
    bases += 1;
    if (below >= 0) continue;
    roots += 1;
    carriedByRoot[node] = beneath[node]!;
  }
  const layerless = images.tops.reduce((count, top, image) => count + (top < 0 ? images.alive[image]! : 0), 0);
  return {
    images: standing + bottom + isolated + layerless,
    ...{ standing, bottom, isolated, layerless, roots, bases },
    byRoot: coverageOf(carriedByRoot),
    byBase: coverageOf(carriedByBase),
    flawed: countFlawed(forest, facts, carriedByBase),
    ages: countAges(forest, facts, carriedByBase),
    depths: Array.from(depths, (count) => count ?? 0),
    ...countDegrees(forest, carriedByBase),
    topRoots: topOf(carriedByRoot),
    topBases: topOf(carriedByBase),
  };
}

function checkColumns(forest: Forest, { tops, alive }: ImageColumns, facts: SpreadFacts): void {
  const { critical, high, medium, low, builtAt } = facts;
  const isShort = [critical, high, medium, low, builtAt].some((column) => column.length !== forest.size);
  if (isShort || tops.length !== forest.images.node.length || alive.length !== tops.length) {
    throw new LineageError("ROWS_INVALID", "the facts do not belong to this forest: their columns have other lengths");
  }
}

/** Calls back for every base in use with the images that stand on it directly. */
function eachBase({ size, beneath, kind }: Forest, carried: Int32Array, visit: (node: number, images: number) => void) {
  for (let node = 0; node < size; node++) {
    if (beneath[node]! > 0 && kind[node] !== CACHE) visit(node, carried[node]!);
  }
}

function countFlawed(
  forest: Forest,
  { critical, high, medium, low }: SpreadFacts,
  carried: Int32Array,
): Spread["flawed"] {
  const count = (...columns: readonly Int32Array[]): Share => {
    const share = { bases: 0, images: 0 };
    eachBase(forest, carried, (node, images) => {
      if (columns.some((column) => column[node]! > 0)) add(share, images);
    });
    return share;
  };
  return {
    critical: count(critical),
    high: count(high),
    medium: count(medium),
    low: count(low),
    any: count(critical, high, medium, low),
  };
}

function countAges(forest: Forest, { builtAt, now }: SpreadFacts, carried: Int32Array): Spread["ages"] {
  const buckets = ([...AGE_DAYS, "older", "unknown"] as const).map((days) => ({ days, bases: 0, images: 0 }));
  eachBase(forest, carried, (node, images) => {
    const days = (now - builtAt[node]!) / DAY_MS;
    const younger = AGE_DAYS.findIndex((bound) => days < bound);
    const known = younger < 0 ? AGE_DAYS.length : younger;
    add(buckets[Number.isNaN(days) ? AGE_DAYS.length + 1 : known]!, images);
  });
  return buckets;
}

function countDegrees(forest: Forest, carried: Int32Array): Pick<Spread, "degrees" | "indirect"> {
  const degrees: number[] = [];
  let indirect = 0;
  eachBase(forest, carried, (_node, images) => {
    if (images === 0) indirect += 1;
    else degrees[31 - Math.clz32(images)] = (degrees[31 - Math.clz32(images)] ?? 0) + 1;
  });
  return { degrees: Array.from(degrees, (count) => count ?? 0), indirect };
}

function add(share: { bases: number; images: number }, images: number): void {
  share.bases += 1;
  share.images += images;
}

/** The nodes with the most images, held in a short sorted list while the column is read once. */
function topOf(carried: Int32Array): Spread["topRoots"] {
  const top: { node: number; images: number }[] = [];
  for (let node = 0; node < carried.length; node++) {
    const images = carried[node]!;
    if (images === 0 || (top.length === TOP_BASES && images <= top.at(-1)!.images)) continue;
    const place = top.findIndex((other) => other.images < images);
    top.splice(place < 0 ? top.length : place, 0, { node, images });
    if (top.length > TOP_BASES) top.pop();
  }
  return top;
}
