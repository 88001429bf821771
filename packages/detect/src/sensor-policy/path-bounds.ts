import { globPrefix } from "../compile/glob.ts";
import type { Check, Resolved } from "../language/condition.ts";
import type { PathPattern } from "./policy.ts";

/** Fields that are the event's path, or its second one: a node tries a pattern on both. */
const PATH_FIELDS = new Set([
  "fd.name",
  "fd.nameraw",
  "fs.path.name",
  "fs.path.nameraw",
  "fs.path.source",
  "fs.path.sourceraw",
  "fs.path.target",
  "fs.path.targetraw",
  "evt.abspath",
  "evt.abspath.src",
  "evt.abspath.dst",
  ...["name", "path", "filename", "pathname", "oldpath", "newpath", "target", "linkpath", "dir", "dev"].map(
    (argument) => `evt.arg.${argument}`,
  ),
]);
/** Beyond it the kernel compares longer than the event costs. */
export const MAX_PATTERNS = 256;

/**
 * The paths outside of which a condition cannot hold.
 *
 * @returns undefined when any path may do
 */
export function pathBounds(condition: Resolved): readonly PathPattern[] | undefined {
  if (condition.kind === "check") return boundsOf(condition);
  if (condition.kind === "and") {
    // Each bound of an `and` is one; the shortest list costs the kernel least.
    const bounds = condition.items.map(pathBounds).filter((bound) => bound !== undefined);
    return bounds.toSorted((a, b) => a.length - b.length)[0];
  }
  if (condition.kind === "or") {
    const bounds = condition.items.map(pathBounds);
    if (bounds.includes(undefined)) return undefined;
    const patterns = distinctPatterns(bounds.flatMap((bound) => bound ?? []));
    return patterns.length > MAX_PATTERNS ? undefined : patterns;
  }
  return condition.kind === "constant" && !condition.value ? [] : undefined;
}

export function distinctPatterns(patterns: readonly PathPattern[]): readonly PathPattern[] {
  return [...new Map(patterns.map((pattern) => [`${pattern.kind} ${pattern.value}`, pattern])).values()];
}

function boundsOf({ left, operator, values, right }: Check): readonly PathPattern[] | undefined {
  if (left.kind !== "field" || right !== null || values.length > MAX_PATTERNS) return undefined;
  const texts = values.map(({ text }) => text);
  const all = (kind: PathPattern["kind"], map = (text: string) => text): readonly PathPattern[] =>
    texts.map((text) => ({ kind, value: map(text) }));
  if (left.name === "fd.directory" && (operator === "=" || operator === "in")) {
    return all("prefix", (text) => (text.endsWith("/") ? text : `${text}/`));
  }
  if (left.name === "fd.filename") {
    if (operator === "=" || operator === "in") return all("suffix", (text) => `/${text}`);
    if (operator === "endswith") return all("suffix");
    return operator === "startswith" ? all("contains", (text) => `/${text}`) : undefined;
  }
  if (!PATH_FIELDS.has(left.name)) return undefined;
  switch (operator) {
    case "=":
    case "in":
      return all("exact");
    case "startswith":
      return all("prefix");
    case "endswith":
      return all("suffix");
    case "contains":
      return all("contains");
    case "pmatch":
      return nonEmpty(all("prefix", (text) => globPrefix(text.length > 1 ? text.replace(/\/+$/, "") : text)));
    case "glob":
      return nonEmpty(all("prefix", globPrefix));
    default:
      return undefined;
  }
}

/** A glob that begins with a star bounds nothing. */
function nonEmpty(patterns: readonly PathPattern[]): readonly PathPattern[] | undefined {
  return patterns.some(({ value }) => value === "") ? undefined : patterns;
}
