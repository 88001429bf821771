/** JSON that PostgreSQL takes: its text has no place for NUL and for halves of surrogate pairs, which are made visible. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, each) => {
    if (typeof each === "string") return plainText(each);
    if (typeof each !== "object" || each === null || Array.isArray(each)) return each;
    const isPlain = Object.keys(each).every((key) => plainText(key) === key);
    return isPlain ? each : Object.fromEntries(Object.entries(each).map(([key, item]) => [plainText(key), item]));
  });
}

function plainText(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed();
  return whole.includes("\0") ? whole.replaceAll("\0", "\\x00") : whole;
}
