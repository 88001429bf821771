/** Terminal escapes, line breaks, and marks that make text run backwards (Unicode Standard Annex 9, section 2). */
const OBEYED = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Names out of an image may hold what a terminal obeys; in a report for people it is shown as U+FFFD instead. */
export function visible(text: string): string {
  return text.replace(OBEYED, "\ufffd");
}

/**
 * A document for programs, that may yet be shown on a terminal: what JSON leaves unescaped and a terminal would obey is
 * escaped, which changes no value.
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value, null, 2).replace(OBEYED, (character) =>
    character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `${text}\n`;
}
