import fc from "fast-check";
import type { ChainColumns, ImageColumns } from "../forest.ts";

/** An image as people would write it: its layers as letters, lowest first. */
export interface SmallImage {
  readonly layers: string;
  readonly repository: number;
  readonly alive: boolean;
  /** Row of the image it declares as its base; -1 none, -2 unknown. */
  readonly declared: number;
}

/**
 * Estates of a few images whose layers are few letters, so that many share a beginning; with images without layers, equal
 * images, images that are gone, and declarations that are true, false or circular.
 */
export const smallEstates: fc.Arbitrary<readonly SmallImage[]> = fc.integer({ min: 1, max: 9 }).chain((count) =>
  fc.array(
    fc.record({
      layers: fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 5 }),
      repository: fc.integer({ min: -2, max: 3 }),
      alive: fc.boolean(),
      declared: fc.integer({ min: -2, max: count - 1 }),
    }),
    { minLength: count, maxLength: count },
  ),
);

/** The same as columns, chains in the order of `seed`. `names` holds the layers of each chain's row. */
export function asColumns(estate: readonly SmallImage[], seed = 0) {
  const prefixes = new Set(estate.flatMap(({ layers }) => [...layers].map((_, index) => layers.slice(0, index + 1))));
  const names = [...prefixes].toSorted((a, b) => scrambled(a, seed) - scrambled(b, seed));
  const rowOf = new Map(names.map((name, row) => [name, row]));
  const row = (name: string) => rowOf.get(name) ?? -1;
  const chains: ChainColumns = { parents: Int32Array.from(names, (name) => row(name.slice(0, -1))) };
  const images: ImageColumns = {
    tops: Int32Array.from(estate, ({ layers }) => row(layers)),
    repositories: Int32Array.from(estate, ({ repository }) => repository),
    alive: Uint8Array.from(estate, ({ alive }) => Number(alive)),
    declared: Int32Array.from(estate, ({ declared }) => declared),
  };
  return { names, chains, images };
}

function scrambled(name: string, seed: number): number {
  let hash = seed;
  for (const letter of name) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0;
  return Math.imul(hash, 0x9e3779b1) >>> 0;
}
