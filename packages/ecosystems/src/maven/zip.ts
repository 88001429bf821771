import type { AnalyzerTools } from "@bulwark/model";
import { textOf } from "../text.ts";

/** Fat jars hold some 10,000 files. */
const MAX_ENTRIES = 200_000;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 65_535;
const END_SIGNATURE = 0x06054b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
const ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
const ZIP64_LOCATOR_BYTES = 20;
const ZIP64_END_SIGNATURE = 0x06064b50;
const ZIP64_END_BYTES = 56;
const STORED = 0;
const DEFLATED = 8;

/** One file of an archive, by its central directory. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly compressedSize: number;
  readonly offset: number;
}

/**
 * Lists a ZIP archive by its central directory (APPNOTE.TXT, sections 4.3.12 to 4.3.16). Undefined when there is none;
 * entries that point outside the file are left out.
 */
export function listZip(bytes: Uint8Array): readonly ZipEntry[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = findEnd(view);
  if (end < 0) return undefined;
  const entries: ZipEntry[] = [];
  let at = directoryStart(view, end);
  while (
    entries.length < MAX_ENTRIES &&
    at + CENTRAL_BYTES <= bytes.length &&
    view.getUint32(at, true) === CENTRAL_SIGNATURE
  ) {
    const nameLength = view.getUint16(at + 28, true);
    const next = at + CENTRAL_BYTES + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > bytes.length) break;
    const name = textOf(bytes, at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameLength);
    const compressedSize = view.getUint32(at + 20, true);
    const offset = view.getUint32(at + 42, true);
    if (offset + compressedSize <= bytes.length)
      entries.push({ name, method: view.getUint16(at + 10, true), compressedSize, offset });
    at = next;
  }
  return entries;
}

function findEnd(view: DataView): number {
  const lowest = Math.max(0, view.byteLength - END_BYTES - MAX_COMMENT_BYTES);
  for (let at = view.byteLength - END_BYTES; at >= lowest; at--)
    if (view.getUint32(at, true) === END_SIGNATURE) return at;
  return -1;
}

/** With more than 65,535 entries the true place stands in the ZIP64 record before the end. */
function directoryStart(view: DataView, end: number): number {
  const start = view.getUint32(end + 16, true);
  const locator = end - ZIP64_LOCATOR_BYTES;
  if (locator < 0 || view.getUint32(locator, true) !== ZIP64_LOCATOR_SIGNATURE) return start;
  const record = Number(view.getBigUint64(locator + 8, true));
  if (record + ZIP64_END_BYTES > view.byteLength || view.getUint32(record, true) !== ZIP64_END_SIGNATURE) return start;
  return Number(view.getBigUint64(record + 48, true));
}

/**
 * The content of an entry.
 *
 * @throws Error when it is damaged, compressed by an unknown method, or larger than `limitBytes`
 */
export function readZipEntry(bytes: Uint8Array, entry: ZipEntry, tools: AnalyzerTools, limitBytes: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { offset, compressedSize, method } = entry;
  if (offset + LOCAL_BYTES > bytes.length || view.getUint32(offset, true) !== LOCAL_SIGNATURE)
    throw new Error("no local header");
  const start = offset + LOCAL_BYTES + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (start + compressedSize > bytes.length) throw new Error("its content lies outside the archive");
  const data = bytes.subarray(start, start + compressedSize);
  if (method === DEFLATED) return tools.inflateRaw(data, limitBytes);
  if (method !== STORED) throw new Error(`unknown compression method ${method}`);
  if (data.length > limitBytes) throw new Error(`larger than ${limitBytes} bytes`);
  return data;
}
