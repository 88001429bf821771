/** A tag of a repository, and the image that it names now. */
export interface TagState {
  readonly name: string;
  readonly digest: string;
}

export interface Successor extends TagState {
  /** `moved`: the tag in use names another image now. `newer`: another tag names a higher version. */
  readonly how: "moved" | "newer";
}

/** Numbers of so many digits are dates (20250131), and no date is an incompatible version. */
const DATE_DIGITS = 8;

/**
 * What supersedes the image in use: what its own tag names by now, else the highest version that differs from it only in
 * numbers and is of the same major version. `latest` supersedes nothing: nobody can tell what it is.
 *
 * @param tags of the same repository
 * @example
 * successorOf({ name: "12.4-slim", digest }, tags) // { how: "newer", name: "12.9-slim", digest: "sha256:…" }, not 13.1-slim or 12.9
 */
export function successorOf(current: TagState, tags: readonly TagState[]): Successor | undefined {
  const own = tags.find(({ name }) => name === current.name);
  if (own !== undefined && own.digest !== current.digest && own.name !== "latest")
    return { how: "moved", ...pick(own) };
  const version = readVersion(current.name);
  if (version === undefined) return undefined;
  let best = version;
  let found: TagState | undefined;
  for (const tag of tags) {
    const other = readVersion(tag.name);
    if (other === undefined || tag.digest === current.digest || !isSameLine(version, other)) continue;
    if (compareNumbers(other.numbers, best.numbers) <= 0) continue;
    best = other;
    found = tag;
  }
  return found === undefined ? undefined : { how: "newer", ...pick(found) };
}

function pick({ name, digest }: TagState): TagState {
  return { name, digest };
}

/** A tag in parts: `bookworm-20250131-slim` is `bookworm-`, [20250131], `-slim`. */
interface TagVersion {
  readonly prefix: string;
  readonly numbers: readonly string[];
  readonly suffix: string;
}

function readVersion(tag: string): TagVersion | undefined {
  const [, prefix = "", numbers = "", suffix = ""] = /^(\D*)(\d+(?:\.\d+)*)(.*)$/.exec(tag) ?? [];
  return numbers === "" ? undefined : { prefix, numbers: numbers.split("."), suffix };
}

function isSameLine(one: TagVersion, other: TagVersion): boolean {
  return one.prefix === other.prefix && one.suffix === other.suffix && majorOf(one) === majorOf(other);
}

function majorOf({ numbers: [first = ""] }: TagVersion): string {
  return first.length >= DATE_DIGITS ? "date" : first.replace(/^0+(?=\d)/, "");
}

/** By value, whatever their length; what is missing counts as 0. */
function compareNumbers(one: readonly string[], other: readonly string[]): number {
  for (let index = 0; index < Math.max(one.length, other.length); index++) {
    const [a, b] = [BigInt(one[index] ?? 0), BigInt(other[index] ?? 0)];
    if (a !== b) return a < b ? -1 : 1;
  }
  return 0;
}
