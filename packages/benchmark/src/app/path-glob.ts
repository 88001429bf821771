/**
 * A matcher for paths: `*` stands for any characters within one part, `**` with its slash for any number of parts.
 * Globs are ours, so that turning them into expressions is safe; each has at most two `**`. Every path of an image is
 * asked about, so the fixed text before the first and after the last star is compared first.
 */
export function pathMatcher(globs: readonly string[]): (path: string) => boolean {
  const patterns = globs.map((glob) => ({
    start: glob.slice(0, glob.includes("*") ? glob.indexOf("*") : glob.length),
    end: glob.slice(glob.lastIndexOf("*") + 1).replace(/^\//, ""),
    expression: expressionOf(glob),
  }));
  return (path) =>
    patterns.some(
      ({ start, end, expression }) => path.endsWith(end) && path.startsWith(start) && expression.test(path),
    );
}

function expressionOf(glob: string): RegExp {
  const pattern = glob
    .split("**/")
    .map((part) => part.replace(/[.+^${}()|[\]\\?]/g, "\\$&").replaceAll("*", "[^/]*"))
    .join("(?:[^/]+/)*");
  return new RegExp(`^${pattern}$`);
}
