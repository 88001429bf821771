export type Values = Readonly<Record<string, string | number>>;

/**
 * Puts values into a string: `{name}` is the value, `{n:image|images}` the word that goes with the number.
 * Numbers are written as the language does.
 *
 * @example fill("{n} {n:image|images}", { n: 2 }, "en") // "2 images"
 */
export function fill(text: string, values: Values | undefined, languageTag: string): string {
  if (values === undefined) return text;
  return text.replace(/\{(\w+)(?::([^}|]*)\|([^}]*))?\}/g, (whole, name: string, one?: string, other?: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (one === undefined) return typeof value === "number" ? new Intl.NumberFormat(languageTag).format(value) : value;
    return (new Intl.PluralRules(languageTag).select(Number(value)) === "one" ? one : other) ?? "";
  });
}
