/** Reading text files of package managers from bytes, without decoding what nobody asked for. */

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const decoder = new TextDecoder();

/** Calls back with the bounds of every line, without its line end. A last line without one counts too. */
export function forEachLine(bytes: Uint8Array, visit: (start: number, end: number) => void): void {
  let start = 0;
  while (start < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, start);
    const next = newline < 0 ? bytes.length : newline;
    visit(start, next > start && bytes[next - 1] === CARRIAGE_RETURN ? next - 1 : next);
    start = next + 1;
  }
}

/** Decodes UTF-8; bytes that are none become U+FFFD. */
export function textOf(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return decoder.decode(bytes.subarray(start, end));
}

/** A value from a file for a sentence: without control characters, cut to a readable length, in quotes. */
export function quoted(value: string): string {
  const printable = value.slice(0, 60).replace(/[\x00-\x1f\x7f-\x9f]/g, "\uFFFD");
  return `"${printable}${value.length > 60 ? "…" : ""}"`;
}

/** Names and versions of packages hold no blanks and no control characters in any ecosystem of operating systems. */
export function isPlainWord(value: string): boolean {
  return value !== "" && !/[\s\x00-\x1f\x7f-\x9f\uFFFD]/.test(value);
}
