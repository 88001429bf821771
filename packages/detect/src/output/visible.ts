/** Control characters (C0, DEL, C1), line and paragraph separators, and what turns the direction of writing (UAX #9). */
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udfff]/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0" };

/**
 * Text out of an event as it may be shown: what moves a terminal, breaks a line of a log or hides something is written
 * as an escape.
 *
 * @example visible("a\nb\u001b[2J"); // "a\\nb\\x1b[2J"
 */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return SHORT[character] ?? (code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`);
  });
}
