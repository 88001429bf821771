/**
 * A matcher for paths: `*` stands for any characters within one part, `**` with its slash for any number of parts.
 * Globs are ours, so that turning them into expressions is safe; each has at most two `**`.
 */
export function pathMatcher(globs: readonly string[]): (path: string) => boolean {
  const expressions = globs.map((glob) => {
    const pattern = glob
      .split("**/")
      .map((part) => part.replace(/[.+^${}()|[\]\\?]/g, "\\$&").replaceAll("*", "[^/]*"))
      .join("(?:[^/]+/)*");
    return new RegExp(`^${pattern}$`);
  });
  return (path) => expressions.some((expression) => expression.test(path));
}
