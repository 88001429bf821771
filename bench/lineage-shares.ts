/** How large the made-up estate is. */
export interface LineageSize {
  /** Living images in all. */
  readonly images: number;
  /** Bases that stand on nothing. */
  readonly roots: number;
  /** So many of them carry half of what stands on any, and so many nine tenths. */
  readonly half: number;
  readonly ninety: number;
}

/** The shape of a large registry that was published: 470,000 images on 26,000 bases, 13 of which carry half. */
const PUBLISHED: LineageSize = { images: 470_000, roots: 26_000, half: 13, ninety: 640 };
const MILLION: LineageSize = { images: 1_000_000, roots: 55_000, half: 13, ninety: 640 };
const SMALL: LineageSize = { images: 2_000, roots: 110, half: 5, ninety: 30 };

/** @param name `published`, `million` or, to see that everything runs, `small` */
export function sizeNamed(name: string): LineageSize {
  const sizes = new Map(Object.entries({ published: PUBLISHED, million: MILLION, small: SMALL }));
  const size = sizes.get(name);
  if (size === undefined) throw new Error(`no estate is called ${name}: ${[...sizes.keys()].join(", ")}`);
  return size;
}

/** How many images each root carries: the first ones half, the next ones up to nine tenths, every one at least one. */
export function shareOut(total: number, { roots, half, ninety }: LineageSize): Int32Array {
  const head = Math.floor(total / 2) + 1;
  const middle = Math.floor(total * 0.9) + 1 - head;
  const weights = (from: number, to: number, of: (rank: number) => number) =>
    Float64Array.from({ length: to - from }, (_, n) => of(from + n + 1));
  return Int32Array.from([
    ...distribute(
      head,
      weights(0, half, (rank) => 1 / (rank + 4)),
      1,
    ),
    ...distribute(
      middle,
      weights(half, ninety, (rank) => rank ** -1.2),
      1,
    ),
    ...distribute(
      total - head - middle,
      weights(ninety, roots, (rank) => 1 / rank),
      1,
    ),
  ]);
}

/** Whole numbers in the proportion of some weights, none below the least, that add up to the total. */
export function distribute(total: number, weights: Float64Array, least: number): Int32Array {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  const free = total - least * weights.length;
  const shares = Int32Array.from(weights, (weight) => least + Math.floor((free * weight) / sum));
  let left = total - shares.reduce((all, share) => all + share, 0);
  for (let index = 0; left > 0; index = (index + 1) % shares.length, left--) shares[index]! += 1;
  return shares;
}
