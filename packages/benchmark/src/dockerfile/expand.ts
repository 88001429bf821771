/** Longest value that an expansion may give: variables that double each other grow no further. */
const MAX_VALUE_LENGTH = 4_096;
const REFERENCE = /\$(?:\{([A-Za-z_]\w*)(?::([-+])([^}]*))?\}|([A-Za-z_]\w*))/g;

/**
 * Replaces `$X`, `${X}`, `${X:-otherwise}` and `${X:+instead}` (Dockerfile reference, Environment replacement). A
 * variable that nobody sets stays as written, so that it is seen to be unknown.
 */
export function expandVariables(text: string, variables: ReadonlyMap<string, string>): string {
  const expanded = text.replace(
    REFERENCE,
    (whole, braced?: string, operator?: string, word?: string, bare?: string) => {
      const value = variables.get(braced ?? bare ?? "") ?? "";
      if (operator === "-") return value === "" ? (word ?? "") : value;
      if (operator === "+") return value === "" ? "" : (word ?? "");
      return value === "" ? whole : value;
    },
  );
  return expanded.length > MAX_VALUE_LENGTH ? text.slice(0, MAX_VALUE_LENGTH) : expanded;
}
