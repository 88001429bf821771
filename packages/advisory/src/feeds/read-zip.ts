import { closeSync, openSync, readSync } from "node:fs";
import { inflateRawSync } from "node:zlib";
import { type Entry, open as openZip, type ZipFile } from "yauzl";
import { MAX_RECORD_BYTES } from "../read-osv.ts";

const MAX_ENTRIES = 5_000_000;
const LOCAL_HEADER_BYTES = 30;
const LOCAL_SIGNATURE = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;

/** One file of an archive, or why it could not be read. */
export type ZipMember =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly refused: string };

/**
 * Reads the JSON files of a ZIP archive one after the other. The directory is the library's work; contents are read and
 * inflated here, each at most MAX_RECORD_BYTES whatever its declared size says (a stream for each of hundreds of thousands
 * of small files would take most of the time). APPNOTE.TXT, sections 4.3.7 and 4.4.
 *
 * @throws Error when the archive's directory cannot be read
 */
export async function* readZip(file: string): AsyncGenerator<ZipMember> {
  const descriptor = openSync(file, "r");
  try {
    let seen = 0;
    for await (const entry of entriesOf(file)) {
      if (++seen > MAX_ENTRIES) throw new Error(`the archive has more than ${MAX_ENTRIES} files`);
      if (entry.fileName.endsWith(".json")) yield readMember(descriptor, entry);
    }
  } finally {
    closeSync(descriptor);
  }
}

async function* entriesOf(file: string): AsyncGenerator<Entry> {
  const archive = await new Promise<ZipFile>((resolve, reject) => {
    openZip(file, { lazyEntries: true, autoClose: false }, (error, zip) => (error ? reject(error) : resolve(zip)));
  });
  try {
    let next = Promise.withResolvers<Entry | undefined>();
    archive.on("entry", (entry: Entry) => next.resolve(entry));
    archive.on("end", () => next.resolve(undefined));
    archive.on("error", (error: Error) => next.reject(error));
    for (;;) {
      archive.readEntry();
      const entry = await next.promise;
      if (entry === undefined) return;
      next = Promise.withResolvers();
      yield entry;
    }
  } finally {
    archive.close();
  }
}

function readMember(descriptor: number, entry: Entry): ZipMember {
  const name = entry.fileName;
  if (entry.uncompressedSize > MAX_RECORD_BYTES || entry.compressedSize > MAX_RECORD_BYTES) {
    return { name, refused: `larger than ${MAX_RECORD_BYTES} bytes` };
  }
  try {
    const header = readAt(descriptor, entry.relativeOffsetOfLocalHeader, LOCAL_HEADER_BYTES);
    if (header.readUInt32LE(0) !== LOCAL_SIGNATURE)
      return { name, refused: "its local header is not where it should be" };
    const start =
      entry.relativeOffsetOfLocalHeader + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
    const data = readAt(descriptor, start, entry.compressedSize);
    if (entry.compressionMethod === STORED) return { name, text: data.toString("utf8") };
    if (entry.compressionMethod !== DEFLATED)
      return { name, refused: `compressed by method ${entry.compressionMethod}` };
    return { name, text: inflateRawSync(data, { maxOutputLength: MAX_RECORD_BYTES }).toString("utf8") };
  } catch (error) {
    return { name, refused: error instanceof Error ? error.message : String(error) };
  }
}

function readAt(descriptor: number, position: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length);
  if (readSync(descriptor, buffer, 0, length, position) !== length) throw new Error("the archive ends too early");
  return buffer;
}
