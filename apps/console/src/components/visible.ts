/**
 * Characters that are not seen or that change how others are shown: C0 and C1 controls, bidirectional controls (Unicode
 * Standard Annex #9, "Explicit Directional Formatting Characters"), zero-width characters and the byte order mark.
 */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
/** Combining marks beyond these on one letter are dropped, else they paint over the lines around. */
const TOWER = /(\p{Mark}{4})\p{Mark}+/gu;

/**
 * Makes text of others fit to be shown: unseen characters become their code point, length is bounded.
 *
 * @example visible("a\u202Eb", 100) // "a⟨U+202E⟩b"
 */
export function visible(text: string, max: number): string {
  const cut = text.length > max ? `${text.slice(0, max).replace(/[\ud800-\udbff]$/, "")}…` : text;
  return cut
    .replace(UNSEEN, (character) => `⟨U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`)
    .replace(TOWER, "$1");
}

/** Characters as wide as two Latin letters (Unicode Standard Annex #11, "Wide" and "Fullwidth", as far as texts here have them). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;

const ELLIPSIS_LETTERS = 2;

function fitting(text: string, letters: number): number {
  let width = 0;
  for (let at = 0; at < text.length; at++) {
    width += WIDE.test(text[at] ?? "") ? 2 : 1;
    if (width > letters) return at;
  }
  return text.length;
}

/**
 * The same for a place of a fixed width: as much of the text as is no wider than so many Latin letters.
 *
 * @example fitted("它的令牌 on the node", 10) // "它的令牌…"
 */
export function fitted(text: string, letters: number): string {
  const at = fitting(text, letters);
  return at === text.length ? visible(text, at) : visible(text, fitting(text, letters - ELLIPSIS_LETTERS));
}
