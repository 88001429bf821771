import { isScalar, type LineCounter, type Scalar } from "yaml";
import type { Place } from "./condition.ts";

/** The file that is being read, and how an offset in it becomes a line and a column. */
export interface Source {
  readonly file: string;
  readonly text: string;
  readonly lines: LineCounter;
}

/** A text out of a file, in the pieces that `append` put together. */
export interface SourceText {
  readonly text: string;
  readonly locate: (offset: number) => Place;
}

const BLANK = /\s/;

/** The place where a node of a document begins. */
export function placeOf(source: Source, node: unknown): Place {
  const offset = (node as { readonly range?: readonly number[] | null } | null)?.range?.[0] ?? 0;
  return placeAt(source, offset);
}

function placeAt(source: Source, offset: number): Place {
  const { line, col } = source.lines.linePos(offset);
  return { file: source.file, line, column: col };
}

/** What a scalar says, as it is written: `0755` and `true` stay words. Empty when the node is no scalar. */
export function wordOf(node: unknown): string {
  if (!isScalar(node) || node.value === null || node.value === undefined) return "";
  return node.type === "PLAIN" && node.source !== undefined ? node.source.replace(/\s+/g, " ") : String(node.value);
}

/** A scalar's text, with the places of its characters: a condition is mostly folded over several lines. */
export function sourceText(source: Source, node: Scalar): SourceText {
  const text = wordOf(node);
  let offsets: readonly number[] | undefined;
  const locate = (offset: number): Place => {
    offsets ??= characterOffsets(source, node, text);
    return placeAt(source, offsets[offset] ?? offsets.at(-1) ?? node.range?.[0] ?? 0);
  };
  return { text, locate };
}

/** Folding changes nothing but blanks, so that the n-th character that is none is the same on both sides. */
function characterOffsets(source: Source, node: Scalar, text: string): readonly number[] {
  const [start = 0, end = start] = node.range ?? [];
  let at = source.text[start] === "|" || source.text[start] === ">" ? source.text.indexOf("\n", start) : start;
  const offsets: number[] = [];
  for (const character of text) {
    if (!BLANK.test(character)) {
      const found = source.text.indexOf(character, at);
      if (found >= 0 && found < end) at = found;
      for (let unit = 0; unit < character.length; unit++) offsets.push(at + unit);
      at += character.length;
    } else offsets.push(at);
  }
  return [...offsets, Math.max(start, at - 1)];
}

/** Text that was appended stands one blank behind what was there. */
export function joinTexts(before: SourceText, after: SourceText): SourceText {
  const seam = before.text.length + 1;
  return {
    text: `${before.text} ${after.text}`,
    locate: (offset) => (offset < seam ? before.locate(offset) : after.locate(offset - seam)),
  };
}
