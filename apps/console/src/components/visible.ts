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
