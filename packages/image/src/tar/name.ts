/**
 * Names in archives are bytes. Valid UTF-8 becomes the text it is; every byte that is not part of valid UTF-8 becomes
 * the private-use character U+10FF00 + byte, so that two different names never become the same text and the text
 * survives being written as UTF-8. Characters of that private range in a name are treated as invalid bytes, which keeps
 * the mapping one-to-one.
 */
const ESCAPE_BASE = 0x10ff00;

/**
 * Text of a name.
 *
 * @example decodeName(Buffer.from([0x61, 0xff]), 0, 2) // "a\u{10ffff}"
 */
export function decodeName(bytes: Buffer, start: number, end: number): string {
  for (let i = start; i < end; i++) {
    if (bytes[i]! >= 0x80) return decodeWide(bytes, start, end);
  }
  return bytes.toString("latin1", start, end);
}

function decodeWide(bytes: Buffer, start: number, end: number): string {
  let text = "";
  let from = start;
  let i = start;
  while (i < end) {
    const length = sequenceLength(bytes, i, end);
    if (length === 0) {
      text += bytes.toString("utf8", from, i) + String.fromCodePoint(ESCAPE_BASE + bytes[i]!);
      i++;
      from = i;
    } else {
      i += length;
    }
  }
  return text + bytes.toString("utf8", from, end);
}

/** Bytes of the well-formed UTF-8 sequence at `i` (RFC 3629, section 4), or 0. */
function sequenceLength(bytes: Buffer, i: number, end: number): number {
  const first = bytes[i]!;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (i + length > end) return 0;
  for (let k = 1; k < length; k++) {
    if ((bytes[i + k]! & 0xc0) !== 0x80) return 0;
  }
  const second = bytes[i + 1]!;
  if (first === 0xe0 && second < 0xa0) return 0;
  if (first === 0xed && second > 0x9f) return 0;
  if (first === 0xf0 && second < 0x90) return 0;
  if (first === 0xf4 && second > 0x8f) return 0;
  const inEscapeRange = first === 0xf4 && second === 0x8f && bytes[i + 2]! >= 0xbe;
  return inEscapeRange ? 0 : length;
}

/** A path made safe, and whether it had to be changed in a way worth telling. */
export interface SafePath {
  readonly path: string;
  /** What was odd, empty when nothing was. */
  readonly odd: string;
}

/** True when the path needs {@link safePath}'s slow way: empty, `.` or `..` parts, or slashes at either end. */
const UNTIDY = /(?:^|\/)(?:\.{0,2})(?:\/|$)/;

/**
 * Normalises a path of an archive: relative, `/` between parts, without `.` and `..`. Like container runtimes, `..`
 * is resolved by name and stops at the root, so that the result is where the runtime would put the file.
 *
 * @example safePath("./a/../../etc/passwd") // { path: "etc/passwd", odd: "path leaves the root by `..`" }
 */
export function safePath(name: string): SafePath {
  if (!UNTIDY.test(name)) return { path: name, odd: "" };
  let start = 0;
  while (name.startsWith("./", start)) start += 2;
  const end = name.endsWith("/") ? name.length - 1 : name.length;
  const trimmed = start > 0 || end < name.length ? name.slice(start, Math.max(start, end)) : name;
  if (!UNTIDY.test(trimmed)) return { path: trimmed, odd: "" };
  const parts: string[] = [];
  let odd = name.startsWith("/") ? "path is absolute" : "";
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") {
      parts.push(part);
      continue;
    }
    odd = parts.pop() === undefined ? "path leaves the root by `..`" : odd === "" ? "path contains `..`" : odd;
  }
  return { path: parts.join("/"), odd };
}
