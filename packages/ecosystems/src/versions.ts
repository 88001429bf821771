/**
 * What all version schemes share: the bound on input, and numbers of any length. Numbers are kept as strings of digits
 * without leading zeros, because versions hold dates and hashes that pass 2^53.
 */

/** Longer strings are no versions. The longest seen in real package databases are near 120 characters. */
export const MAX_VERSION_LENGTH = 512;

/** Removes leading zeros: `007` gives `7`, `000` gives the empty string, which is how zero is written here. */
export function significantDigits(digits: string): string {
  let start = 0;
  while (start < digits.length && digits.charCodeAt(start) === 0x30) start++;
  return start === 0 ? digits : digits.slice(start);
}

/** Compares two numbers as {@link significantDigits} gives them: negative, zero or positive. */
export function compareDigits(a: string, b: string): number {
  return a.length !== b.length ? a.length - b.length : compareText(a, b);
}

/** Compares by UTF-16 code units: negative, zero or positive. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Compares item by item up to the shorter list's end, where the shorter one is padded with `pad`. */
export function compareLists<Item>(
  a: readonly Item[],
  b: readonly Item[],
  pad: Item,
  compareItems: (a: Item, b: Item) => number,
): number {
  const length = Math.max(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const order = compareItems(a[index] ?? pad, b[index] ?? pad);
    if (order !== 0) return order;
  }
  return 0;
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

export function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
