/** Text of one instruction without its line continuations and the comments between them. */
export interface LogicalText {
  readonly text: string;
  /** Position in the file of each character of `text`, and one more for its end. */
  readonly offsets: Int32Array;
}

/**
 * Joins the lines of `source` from `start` to `end` the way a builder does: an escape character before the end of a line
 * joins it with the next one that is neither empty nor a comment (Dockerfile reference, section Format).
 */
export function logicalText(source: string, start: number, end: number, escapeChar: string): LogicalText {
  const pieces: string[] = [];
  const offsets = new Int32Array(end - start + 1);
  let length = 0;
  let at = start;
  while (at < end) {
    const next = source[at] === escapeChar ? continuationEnd(source, at + 1, end) : -1;
    if (next >= 0) {
      at = skipCommentLines(source, next, end);
      continue;
    }
    pieces.push(source[at] as string);
    offsets[length++] = at++;
  }
  offsets[length] = end;
  return { text: pieces.join(""), offsets: offsets.subarray(0, length + 1) };
}

/** Position after the line's end where only blanks stand between `at` and it; -1 otherwise. */
function continuationEnd(source: string, at: number, end: number): number {
  let here = at;
  while (here < end && (source[here] === " " || source[here] === "\t" || source[here] === "\r")) here++;
  if (here >= end) return end;
  return source[here] === "\n" ? here + 1 : -1;
}

function skipCommentLines(source: string, at: number, end: number): number {
  let here = at;
  while (here < end) {
    let first = here;
    while (first < end && (source[first] === " " || source[first] === "\t" || source[first] === "\r")) first++;
    if (source[first] !== "#" && source[first] !== "\n") return here;
    const lineEnd = source.indexOf("\n", first);
    if (lineEnd < 0 || lineEnd >= end) return end;
    here = lineEnd + 1;
  }
  return here;
}
