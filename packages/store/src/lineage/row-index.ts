/** A table that would be this many times as long as there are ids is not made. */
const SPARSE = 16;

/** Finds the row of an id. Ids of one tenant lie close together, so that a table by id is small; where not, a map is. */
export class RowIndex {
  readonly #lowest: number;
  readonly #table: Int32Array;
  readonly #map: ReadonlyMap<number, number> | undefined;

  constructor(ids: Float64Array) {
    let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const id of ids) {
      if (id < lowest) lowest = id;
      if (id > highest) highest = id;
    }
    this.#lowest = lowest;
    const isDense = ids.length > 0 && highest - lowest < ids.length * SPARSE;
    this.#table = new Int32Array(isDense ? highest - lowest + 1 : 0).fill(-1);
    if (isDense) for (const [row, id] of ids.entries()) this.#table[id - lowest] = row;
    else this.#map = new Map(Array.from(ids, (id, row) => [id, row]));
  }

  /** -1 for an id that has no row, and for NaN. */
  rowOf(id: number): number {
    if (this.#map !== undefined) return this.#map.get(id) ?? -1;
    return this.#table[id - this.#lowest] ?? -1;
  }
}
