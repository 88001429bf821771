/** A text against a pattern, compiled. */
export type TextTest = (text: string) => boolean;

type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "any" }
  | { readonly kind: "many" }
  | { readonly kind: "set"; readonly not: boolean; readonly ranges: readonly (readonly [string, string])[] };

const CLASSES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  alpha: [
    ["a", "z"],
    ["A", "Z"],
  ],
  digit: [["0", "9"]],
  alnum: [
    ["a", "z"],
    ["A", "Z"],
    ["0", "9"],
  ],
  lower: [["a", "z"]],
  upper: [["A", "Z"]],
  xdigit: [
    ["a", "f"],
    ["A", "F"],
    ["0", "9"],
  ],
  space: [
    [" ", " "],
    ["\t", "\r"],
  ],
  punct: [
    ["!", "/"],
    [":", "@"],
    ["[", "`"],
    ["{", "~"],
  ],
};

/**
 * Compiles a glob as fnmatch(3) reads it without FNM_PATHNAME: `*` and `?` take slashes too, `[a-z]`, `[!a]` and
 * `[[:digit:]]` are sets, a backslash takes the next character literally. Bounded by pattern times text.
 *
 * @example compileGlob("/home/*\/.ssh/*", false)("/home/a/.ssh/id"); // true
 */
export function compileGlob(pattern: string, ignoreCase: boolean): TextTest {
  const parts = partsOf(ignoreCase ? pattern.toLowerCase() : pattern);
  const [head] = parts;
  const literal = parts.length === 0 || (parts.length === 1 && head?.kind === "text");
  const whole = head?.kind === "text" ? head.text : "";
  if (literal) return ignoreCase ? (text) => text.toLowerCase() === whole : (text) => text === whole;
  if (parts.length === 2 && head?.kind === "text" && parts[1]?.kind === "many" && !ignoreCase) {
    return (text) => text.startsWith(whole);
  }
  return ignoreCase ? (text) => matches(parts, text.toLowerCase()) : (text) => matches(parts, text);
}

/** The text that everything that fits begins with. */
export function globPrefix(pattern: string): string {
  const [head] = partsOf(pattern);
  return head?.kind === "text" ? head.text : "";
}

function matches(parts: readonly Part[], text: string): boolean {
  let part = 0;
  let at = 0;
  let starPart = -1;
  let starAt = 0;
  for (;;) {
    const current = parts[part];
    if (current === undefined && at === text.length) return true;
    if (current?.kind === "many") {
      if (part === parts.length - 1) return true;
      starPart = part++;
      starAt = at;
      continue;
    }
    const taken = current === undefined ? -1 : takenBy(current, text, at);
    if (taken >= 0) {
      at += taken;
      part++;
      continue;
    }
    if (starPart < 0 || starAt >= text.length) return false;
    part = starPart + 1;
    at = ++starAt;
  }
}

/** How many characters it takes at that place, -1 when it does not fit. */
function takenBy(part: Part, text: string, at: number): number {
  if (part.kind === "text") return text.startsWith(part.text, at) ? part.text.length : -1;
  const character = text[at];
  if (character === undefined) return -1;
  if (part.kind === "any") return 1;
  if (part.kind === "many") return -1;
  const inside = part.ranges.some(([low, high]) => character >= low && character <= high);
  return inside !== part.not ? 1 : -1;
}

function partsOf(pattern: string): readonly Part[] {
  const parts: Part[] = [];
  let text = "";
  const flush = () => {
    if (text !== "") parts.push({ kind: "text", text });
    text = "";
  };
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] as string;
    const set = character === "[" ? readSet(pattern, at) : undefined;
    if (set !== undefined) {
      flush();
      parts.push(set.part);
      at = set.end;
    } else if (character === "*" || character === "?") {
      flush();
      if (character === "?") parts.push({ kind: "any" });
      else if (parts.at(-1)?.kind !== "many") parts.push({ kind: "many" });
    } else if (character === "\\" && at + 1 < pattern.length) text += pattern[++at];
    else text += character;
  }
  flush();
  return parts;
}

/** A set that is not closed is a bracket. */
function readSet(pattern: string, start: number): { readonly part: Part; readonly end: number } | undefined {
  let at = start + 1;
  const not = pattern[at] === "!" || pattern[at] === "^";
  if (not) at++;
  const ranges: (readonly [string, string])[] = [];
  for (let first = true; at < pattern.length; first = false) {
    const named = /^\[:(\w+):\]/.exec(pattern.slice(at, at + 12));
    const known = named?.[1] !== undefined && Object.hasOwn(CLASSES, named[1]) ? CLASSES[named[1]] : undefined;
    if (named !== null && known !== undefined) {
      ranges.push(...known);
      at += named[0].length;
      continue;
    }
    const low = pattern[at] as string;
    if (low === "]" && !first) return { part: { kind: "set", not, ranges }, end: at };
    const isRange = pattern[at + 1] === "-" && pattern[at + 2] !== undefined && pattern[at + 2] !== "]";
    ranges.push([low, isRange ? (pattern[at + 2] as string) : low]);
    at += isRange ? 3 : 1;
  }
  return undefined;
}
