/** Size of a tar block (POSIX.1-2017, pax, "ustar Interchange Format"). */
export const BLOCK = 512;

/** Sums the header as its checksum does, with the checksum field taken as spaces. */
function unsignedSum(bytes: Buffer, at: number): number {
  let sum = 256;
  for (let i = at; i < at + 148; i += 4) sum += bytes[i]! + bytes[i + 1]! + bytes[i + 2]! + bytes[i + 3]!;
  for (let i = at + 156; i < at + BLOCK; i += 4) sum += bytes[i]! + bytes[i + 1]! + bytes[i + 2]! + bytes[i + 3]!;
  return sum;
}

function signedSum(bytes: Buffer, at: number): number {
  let sum = 256;
  for (let i = 0; i < BLOCK; i++) {
    if (i < 148 || i >= 156) sum += (bytes[at + i]! << 24) >> 24;
  }
  return sum;
}

/** `zero` for an all-zero block, `good` for a right checksum (summed unsigned, or signed as old tars did), else `bad`. */
export function checkHeader(bytes: Buffer, at: number): "zero" | "good" | "bad" {
  const sum = unsignedSum(bytes, at);
  if (sum === 256 && isZero(bytes, at + 148, at + 156)) return "zero";
  const stored = parseNumber(bytes, at + 148, 8);
  return stored === sum || stored === signedSum(bytes, at) ? "good" : "bad";
}

/** True when all bytes in the range are zero. */
export function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if (bytes[i] !== 0) return false;
  }
  return true;
}

/**
 * A number field: octal with spaces or NULs around it, or base-256 (GNU and star: first bit set, two's complement).
 * NaN when it is neither, or not exact in a double.
 */
export function parseNumber(bytes: Buffer, at: number, length: number): number {
  if ((bytes[at]! & 0x80) !== 0) return parseBase256(bytes, at, length);
  const end = at + length;
  let i = at;
  while (i < end && (bytes[i] === 0x20 || bytes[i] === 0)) i++;
  let value = 0;
  while (i < end) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
    i++;
  }
  for (; i < end; i++) {
    if (bytes[i] !== 0x20 && bytes[i] !== 0) return Number.NaN;
  }
  return value;
}

function parseBase256(bytes: Buffer, at: number, length: number): number {
  const negative = (bytes[at]! & 0x40) !== 0;
  let value = negative ? (bytes[at]! & 0x7f) - 0x80 : bytes[at]! & 0x7f;
  for (let i = 1; i < length; i++) {
    value = value * 256 + bytes[at + i]!;
    if (!Number.isSafeInteger(value)) return Number.NaN;
  }
  return value;
}

/** End of a NUL-terminated field. */
export function fieldEnd(bytes: Buffer, at: number, length: number): number {
  const end = at + length;
  let i = at;
  while (i < end && bytes[i] !== 0) i++;
  return i;
}

/** Length of the ustar prefix field that the header's format has: 155 (ustar), 131 (star) or 0 (GNU, v7). */
export function prefixLength(bytes: Buffer, at: number): number {
  const isUstar =
    bytes[at + 257] === 0x75 && bytes[at + 262] === 0 && bytes.toString("latin1", at + 257, at + 262) === "ustar";
  if (!isUstar || bytes[at + 345] === 0) return 0;
  return bytes.toString("latin1", at + 508, at + 512) === "tar\0" ? 131 : 155;
}
