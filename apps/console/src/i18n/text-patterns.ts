/** A text of the server's with what differs from case to case, and its translation with `$1` and so on for that. */
export type Pattern = readonly [RegExp, string];

/** The translation of a text by the first pattern that fits; a text that none fits stays as it is. */
export function translated(patterns: readonly Pattern[], text: string): string {
  const found = patterns.find(([pattern]) => pattern.test(text));
  return found === undefined ? text : text.replace(found[0], found[1]);
}
