/** Patterns of one file that are read; honest files have some dozens. */
const MAX_PATTERNS = 2_000;
const MAX_PATTERN_CHARS = 500;

/** A letter of a pattern: `*`, or what one letter must be. */
type Token = "star" | ((letter: string) => boolean);

interface IgnorePattern {
  readonly negated: boolean;
  readonly directoryOnly: boolean;
  /** Parts of the path, `**` as it is; one part without `anchored` is tried on the last part of a path. */
  readonly parts: readonly (readonly Token[] | "**")[];
  readonly anchored: boolean;
}

/**
 * Makes the question whether git would leave a path alone, of the tree's own `.gitignore` files (git documentation,
 * "gitignore"). Matching takes a time that grows with pattern times path, whatever the patterns are.
 *
 * @param files directory of each `.gitignore` file, relative to the root, empty for the root → its content
 * @example gitIgnore(new Map([["", "*.log\n"]]))("a/b.log"); // true
 */
export function gitIgnore(files: ReadonlyMap<string, string>): (path: string) => boolean {
  const patterns = new Map([...files].map(([directory, text]) => [directory, readPatterns(text)]));
  if (patterns.size === 0) return () => false;
  return (path) => {
    const parts = path.split("/");
    // What lies in an ignored directory cannot be taken back.
    return parts.some((_part, at) => isExcluded(parts.slice(0, at + 1), at + 1 < parts.length, patterns));
  };
}

/** The nearest file decides, and in it the last pattern that matches. */
function isExcluded(
  parts: readonly string[],
  isDirectory: boolean,
  files: ReadonlyMap<string, readonly IgnorePattern[]>,
): boolean {
  for (let depth = parts.length - 1; depth >= 0; depth--) {
    const patterns = files.get(parts.slice(0, depth).join("/")) ?? [];
    const below = parts.slice(depth);
    const last = patterns.findLast((pattern) => (isDirectory || !pattern.directoryOnly) && matches(pattern, below));
    if (last !== undefined) return !last.negated;
  }
  return false;
}

function matches({ parts, anchored }: IgnorePattern, path: readonly string[]): boolean {
  if (!anchored) return matchesPart(parts[0] ?? [], path.at(-1) ?? "");
  return wildcard(
    parts,
    path,
    (part) => part === "**",
    (part, name) => matchesPart(part, name),
  );
}

function matchesPart(part: readonly Token[] | "**", name: string): boolean {
  if (part === "**") return true;
  return wildcard(
    part,
    [...name],
    (token) => token === "star",
    (token, letter) => token !== "star" && token(letter),
  );
}

/** Wildcard matching that goes back to the last wildcard only, which is enough, and so takes no more than n × m steps. */
function wildcard<Unit>(
  pattern: readonly Unit[],
  items: readonly string[],
  isAny: (unit: Unit) => boolean,
  fits: (unit: Unit, item: string) => boolean,
): boolean {
  let at = 0;
  let anyAt = -1;
  let resume = 0;
  for (let index = 0; index < items.length; ) {
    const unit = pattern[at];
    if (unit !== undefined && isAny(unit)) {
      anyAt = at++;
      resume = index;
    } else if (unit !== undefined && fits(unit, items[index] ?? "")) {
      at++;
      index++;
    } else if (anyAt >= 0) {
      at = anyAt + 1;
      index = ++resume;
    } else return false;
  }
  while (at < pattern.length && isAny(pattern[at] as Unit)) at++;
  return at === pattern.length;
}

function readPatterns(text: string): readonly IgnorePattern[] {
  return text
    .split(/\r?\n/, MAX_PATTERNS)
    .filter((line) => line.length <= MAX_PATTERN_CHARS)
    .flatMap((line) => readPattern(line) ?? []);
}

function readPattern(line: string): IgnorePattern | undefined {
  if (line.startsWith("#")) return undefined;
  const negated = line.startsWith("!");
  const trimmed = line.slice(negated ? 1 : 0).replace(/(?<!\\) +$/, "");
  const directoryOnly = trimmed.endsWith("/");
  const body = directoryOnly ? trimmed.slice(0, -1) : trimmed;
  if (body === "") return undefined;
  // `a/**` is everything within `a`, not `a` itself.
  const names = body
    .replace(/^\//, "")
    .replace(/\/\*\*$/, "/**/*")
    .split("/");
  const parts = names.map((name) => (name === "**" ? ("**" as const) : tokensOf(name)));
  return { negated, directoryOnly, parts, anchored: body.includes("/") };
}

function tokensOf(glob: string): readonly Token[] {
  const tokens: Token[] = [];
  const letters = [...glob];
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at] ?? "";
    if (letter === "*") {
      if (tokens.at(-1) !== "star") tokens.push("star");
    } else if (letter === "?") tokens.push(() => true);
    else if (letter === "[") {
      const end = letters.indexOf("]", at + 2);
      if (end < 0) tokens.push((other) => other === "[");
      else {
        tokens.push(classOf(letters.slice(at + 1, end)));
        at = end;
      }
    } else {
      const literal = letter === "\\" ? (letters[++at] ?? "") : letter;
      tokens.push((other) => other === literal);
    }
  }
  return tokens;
}

function classOf(letters: readonly string[]): (letter: string) => boolean {
  const negated = letters[0] === "!" || letters[0] === "^";
  const ranges: (readonly [string, string])[] = [];
  for (let at = negated ? 1 : 0; at < letters.length; at++) {
    const from = letters[at] ?? "";
    const isRange = letters[at + 1] === "-" && at + 2 < letters.length;
    ranges.push([from, isRange ? (letters[at + 2] ?? from) : from]);
    if (isRange) at += 2;
  }
  return (letter) => ranges.some(([from, to]) => letter >= from && letter <= to) !== negated;
}
