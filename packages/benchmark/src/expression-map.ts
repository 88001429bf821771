/** The expression library tells types apart by these members, so that an object with one of them is no map to it. */
const TAKEN = new Set(["constructor", "__proto__"]);

/**
 * An object for expressions out of names that a file chose. Names that would make it something else are left out: no
 * program has settings of these names, and a file must not switch checks off with them.
 */
export function expressionMap(entries: Iterable<readonly [string, string]>): Readonly<Record<string, string>> {
  return Object.fromEntries([...entries].filter(([name]) => !TAKEN.has(name)));
}
