/**
 * Names out of an image may hold terminal escapes, line breaks or text that runs backwards; in a report for people they
 * are shown as U+FFFD instead of obeyed.
 */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}
