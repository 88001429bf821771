import { textOf } from "../text.ts";

/**
 * The rpm header as databases keep it: rpm's "RPM V4 Package format", section "Header", without magic and padding. Two
 * big-endian counts (index entries, bytes of data), the index of 16-byte entries, the data.
 */

/** rpm's own limit on index entries. */
const MAX_ENTRIES = 65_535;
const ENTRY_BYTES = 16;
const MAX_STRING_BYTES = 4096;

/** Tags that are read: rpmtag.h. */
export const TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  license: 1014,
  arch: 1022,
  fileModes: 1030,
  fileDigests: 1035,
  fileFlags: 1037,
  sourceRpm: 1044,
  dirIndexes: 1116,
  baseNames: 1117,
  dirNames: 1118,
  fileDigestAlgorithm: 5011,
  modularityLabel: 5096,
} as const;

const INT16 = 3;
const INT32 = 4;
const STRING = 6;
const STRING_ARRAY = 8;
const TAGS: ReadonlySet<number> = new Set(Object.values(TAG));

interface Entry {
  readonly type: number;
  readonly offset: number;
  readonly count: number;
}

export interface RpmHeader {
  /** A string, or the first of a list; undefined when there is none or it lies outside the data. */
  text(tag: number): string | undefined;
  /** Strings of a list; those beyond the end of the data are missing. */
  texts(tag: number): string[];
  /** 16-bit or 32-bit numbers; those beyond the end of the data are missing. */
  numbers(tag: number): number[];
}

/** Reads the index. Undefined when the counts do not fit the blob. */
export function parseHeader(blob: Uint8Array): RpmHeader | undefined {
  if (blob.length < 8) return undefined;
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const entryCount = view.getUint32(0);
  const dataStart = 8 + entryCount * ENTRY_BYTES;
  if (entryCount > MAX_ENTRIES || dataStart + view.getUint32(4) > blob.length) return undefined;
  const data = blob.subarray(dataStart, dataStart + view.getUint32(4));
  const entries = new Map<number, Entry>();
  for (let at = 8; at < dataStart; at += ENTRY_BYTES) {
    const tag = view.getUint32(at);
    if (!TAGS.has(tag) || entries.has(tag)) continue;
    entries.set(tag, { type: view.getUint32(at + 4), offset: view.getUint32(at + 8), count: view.getUint32(at + 12) });
  }
  const texts = (tag: number) => textsOf(data, entries.get(tag));
  return { text: (tag) => texts(tag)[0], texts, numbers: (tag) => numbersOf(data, entries.get(tag)) };
}

/** NUL-terminated strings one after the other. Strings longer than any path are given as empty. */
function textsOf(data: Uint8Array, entry: Entry | undefined): string[] {
  if (entry === undefined || entry.type < STRING || entry.type > STRING_ARRAY + 1) return [];
  const strings: string[] = [];
  const wanted = entry.type === STRING ? 1 : entry.count;
  for (let at = entry.offset; at < data.length && strings.length < wanted; ) {
    const end = data.indexOf(0, at);
    if (end < 0) break;
    strings.push(end - at > MAX_STRING_BYTES ? "" : textOf(data, at, end));
    at = end + 1;
  }
  return strings;
}

function numbersOf(data: Uint8Array, entry: Entry | undefined): number[] {
  if (entry === undefined || (entry.type !== INT16 && entry.type !== INT32)) return [];
  const width = entry.type === INT16 ? 2 : 4;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const numbers: number[] = [];
  for (let at = entry.offset; at + width <= data.length && numbers.length < entry.count; at += width) {
    numbers.push(width === 2 ? view.getUint16(at) : view.getUint32(at));
  }
  return numbers;
}
