import { catalog } from "@bulwark/ecosystems";
import { ServerError } from "../errors.ts";

const MAX_BOUNDS = 20;
const BOUND = /^(<=|>=|<|>|=)?\s*([^\s<>=,|]+)$/;

type Operator = "<" | "<=" | ">" | ">=" | "=";

interface Bound {
  readonly operator: Operator;
  readonly version: string;
}

/** Alternatives of bounds that hold together: `>=2.0, <2.15 || =2.16.0`. Empty: every version. */
export type VersionRange = readonly (readonly Bound[])[];

/**
 * Reads a range as people type it: bounds separated by commas or blanks hold together, `||` separates alternatives, a bare
 * version is that version.
 *
 * @throws ServerError `INVALID_REQUEST`
 * @example parseRange(">=2.0, <2.15.0")
 */
export function parseRange(text: string): VersionRange {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed === "*") return [];
  return trimmed.split("||").map((alternative) => {
    const words = alternative
      .replace(/(<=|>=|<|>|=)\s+/g, "$1")
      .split(/[\s,]+/)
      .filter((word) => word !== "");
    if (words.length === 0 || words.length > MAX_BOUNDS) throw invalid(text);
    return words.map((word) => {
      const [, operator, version] = BOUND.exec(word) ?? [];
      // Versions without any digit are names of branches; who means one says so with `=`.
      if (version === undefined || (operator === undefined && !/\d/.test(version))) throw invalid(text);
      return { operator: (operator ?? "=") as Operator, version };
    });
  });
}

function invalid(text: string): ServerError {
  return new ServerError(
    "INVALID_REQUEST",
    `"${text.slice(0, 100)}" is no range of versions`,
    "write bounds such as >=2.0, <2.15.0 or a single version; || separates alternatives",
  );
}

/** Whether a version lies in a range by its ecosystem's order; undefined when the order cannot tell. */
export function isInRange(ecosystem: string, version: string, range: VersionRange): boolean | undefined {
  if (range.length === 0) return true;
  const scheme = catalog.schemeOf(ecosystem);
  const parsed = scheme?.parse(version);
  if (scheme === undefined || parsed === undefined) return undefined;
  let isUnsure = false;
  const holds = range.some((bounds) =>
    bounds.every(({ operator, version: text }) => {
      const bound = scheme.parse(text);
      if (bound === undefined) {
        isUnsure = true;
        return false;
      }
      return satisfies(scheme.compare(parsed, bound), operator);
    }),
  );
  return holds ? true : isUnsure ? undefined : false;
}

function satisfies(order: number, operator: Operator): boolean {
  if (operator === "=") return order === 0;
  if (operator === "<") return order < 0;
  if (operator === "<=") return order <= 0;
  return operator === ">" ? order > 0 : order >= 0;
}
