/** Letters that look like others in most typefaces. */
const TWINS: ReadonlyMap<string, string> = new Map([
  ["0", "o"],
  ["1", "l"],
  ["5", "s"],
  ["3", "e"],
]);
/** Shorter names have honest neighbours all around. */
const MIN_LENGTH = 5;

/** Names that others imitate, prepared for the question which of them a name resembles. */
export interface PopularNames {
  /** The popular name that `name` may be mistaken for; undefined when there is none or the name is popular itself. */
  resembles(name: string): string | undefined;
}

/**
 * Finds names one edit away (a letter left out, added, replaced, or two swapped), the same but for separators, or the same
 * but for letters that look alike.
 *
 * @param honest names that are near a popular one and nothing to worry about
 */
export function popularNames(names: readonly string[], honest: ReadonlySet<string>): PopularNames {
  const known = new Set(names);
  /** Every name with one letter left out → the names it came from: two names one edit apart share such an entry. */
  const byDeletion = new Map<string, string[]>();
  const bySkeleton = new Map<string, string>();
  for (const name of names) {
    if (name.length < MIN_LENGTH) continue;
    bySkeleton.set(skeleton(name), name);
    for (const shorter of [name, ...deletions(name)]) {
      const list = byDeletion.get(shorter);
      if (list === undefined) byDeletion.set(shorter, [name]);
      else list.push(name);
    }
  }
  return {
    resembles(name) {
      if (name.length < MIN_LENGTH - 1 || known.has(name) || honest.has(name)) return undefined;
      const same = bySkeleton.get(skeleton(name));
      if (same !== undefined) return same;
      const near = [name, ...deletions(name)].flatMap((shorter) => byDeletion.get(shorter) ?? []);
      return near.find((popular) => isOneEditAway(name, popular));
    },
  };
}

function skeleton(name: string): string {
  const letters = Array.from(name.replace(/[-_.]/g, ""), (letter) => TWINS.get(letter) ?? letter);
  return letters.join("");
}

function deletions(name: string): readonly string[] {
  return Array.from(name, (_letter, at) => name.slice(0, at) + name.slice(at + 1));
}

/** Whether the Damerau-Levenshtein distance (with adjacent swaps) is exactly one. */
export function isOneEditAway(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1 || a === b) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [x, y] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  if (x.length + y.length === 1 || (x.length === 1 && y.length === 1)) return true;
  return x.length === 2 && y.length === 2 && x[0] === y[1] && x[1] === y[0];
}
