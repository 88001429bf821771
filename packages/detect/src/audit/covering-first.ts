/**
 * The different ones of many items, as many as there is room for: first one for each trait that any of them has, then the others in their
 * order. Where there are no more traits than there is room, each trait is on something that is kept, however many items hide it.
 *
 * @returns the items that are kept, and how many different ones are left out
 * @example coveringFirst(containers, (each) => (each.privileged ? ["privileged"] : []), 128).kept
 */
export function coveringFirst<Item>(
  items: readonly Item[],
  traitsOf: (item: Item) => readonly string[],
  room: number,
): { readonly kept: readonly Item[]; readonly left: number } {
  const distinct = new Map(items.map((item) => [JSON.stringify(item), item]));
  const covered = new Set<string>();
  const first: Item[] = [];
  const others: Item[] = [];
  for (const item of distinct.values()) {
    const fresh = traitsOf(item).filter((trait) => !covered.has(trait));
    for (const trait of fresh) covered.add(trait);
    (fresh.length > 0 ? first : others).push(item);
  }
  const kept = [...first, ...others.slice(0, Math.max(0, room - first.length))].slice(0, room);
  return { kept, left: distinct.size - kept.length };
}
