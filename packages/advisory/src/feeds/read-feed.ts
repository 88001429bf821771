import { closeSync, createReadStream, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { AdvisoryError } from "../errors.ts";
import type { OsvRecord } from "../osv-record.ts";
import { MAX_RECORD_BYTES, readOsv } from "../read-osv.ts";
import { isEpss } from "./epss.ts";
import { isKev } from "./kev.ts";
import { readZip } from "./read-zip.ts";

/** A JSON document that is not line by line: the KEV catalogue, or an array of records. */
const MAX_DOCUMENT_BYTES = 256 * 1024 * 1024;
const HEAD_BYTES = 4;
const GZIP_MAGIC = 0x8b1f;
const ZIP_MAGIC = 0x04034b50;
const EMPTY_ZIP_MAGIC = 0x06054b50;

/** What a feed holds, piece by piece. */
export type FeedItem =
  | { readonly kind: "record"; readonly record: OsvRecord }
  | { readonly kind: "kev"; readonly vulnerabilities: readonly unknown[]; readonly released: string }
  | { readonly kind: "epss"; readonly text: string }
  | { readonly kind: "refused"; readonly what: string };

/**
 * Reads advisory data from a file or directory, recognised by its content: OSV records as JSON, lines of JSON, or a ZIP
 * archive of them; the KEV catalogue; an EPSS export; all but the archive also gzip-compressed.
 *
 * @throws AdvisoryError `FEED_UNREACHABLE` when it cannot be opened, `FEED_INVALID` when it is none of these
 */
export async function* readFeed(path: string): AsyncGenerator<FeedItem> {
  try {
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort())
        if (/\.(?:nd)?json(?:\.gz)?$/.test(name)) yield* readFeed(join(path, name));
      return;
    }
    const magic = magicOf(path);
    if (magic === ZIP_MAGIC || magic === EMPTY_ZIP_MAGIC) yield* readArchive(path);
    else yield* readText(path, (magic & 0xffff) === GZIP_MAGIC);
  } catch (cause) {
    if (cause instanceof AdvisoryError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    const isIo = typeof cause === "object" && cause !== null && "syscall" in cause;
    throw new AdvisoryError(
      isIo ? "FEED_UNREACHABLE" : "FEED_INVALID",
      `${path} cannot be read: ${why}`,
      isIo ? "check the path" : "give OSV records (zip, ndjson, json), the KEV catalogue or an EPSS export",
      cause,
    );
  }
}

function magicOf(path: string): number {
  const descriptor = openSync(path, "r");
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    readSync(descriptor, head, 0, HEAD_BYTES, 0);
    return head.readUInt32LE(0);
  } finally {
    closeSync(descriptor);
  }
}

async function* readArchive(path: string): AsyncGenerator<FeedItem> {
  for await (const member of readZip(path)) {
    yield "refused" in member
      ? { kind: "refused", what: `${member.name}: ${member.refused}` }
      : parseRecord(member.text, member.name);
  }
}

/** Lines of records are taken one by one; anything else is gathered and read as one document. */
async function* readText(path: string, compressed: boolean): AsyncGenerator<FeedItem> {
  let whole: string[] | undefined;
  let length = 0;
  let number = 0;
  for await (const line of linesOf(path, compressed)) {
    number++;
    if (whole === undefined && (number > 1 || isRecordLine(line))) {
      if (line.trim() !== "") yield parseRecord(line, `line ${number}`);
      continue;
    }
    whole ??= [];
    length += line.length + 1;
    if (length > MAX_DOCUMENT_BYTES) throw new Error(`it is one document of more than ${MAX_DOCUMENT_BYTES} bytes`);
    whole.push(line);
  }
  if (whole !== undefined) yield* readDocument(whole.join("\n"), path);
}

function isRecordLine(line: string): boolean {
  if (!line.startsWith("{")) return false;
  try {
    const value: unknown = JSON.parse(line);
    return !isKev(value);
  } catch {
    return false; // the first line of a document that is spread over many
  }
}

function* readDocument(text: string, path: string): Generator<FeedItem> {
  if (isEpss(text)) {
    yield { kind: "epss", text };
    return;
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    const what = `${path} is neither JSON nor an EPSS export`;
    throw new AdvisoryError("FEED_INVALID", what, "give OSV records, the KEV catalogue or an EPSS export", cause);
  }
  if (isKev(document)) {
    const released = typeof document.dateReleased === "string" ? document.dateReleased : "";
    yield { kind: "kev", vulnerabilities: document.vulnerabilities, released };
    return;
  }
  for (const [index, value] of (Array.isArray(document) ? document : [document]).entries()) {
    yield toItem(value, `${path}, record ${index + 1}`);
  }
}

function parseRecord(text: string, place: string): FeedItem {
  try {
    return toItem(JSON.parse(text), place);
  } catch {
    return { kind: "refused", what: `${place}: not JSON` };
  }
}

function toItem(value: unknown, place: string): FeedItem {
  const record = readOsv(value);
  return record === undefined ? { kind: "refused", what: `${place}: no OSV record` } : { kind: "record", record };
}

async function* linesOf(path: string, compressed: boolean): AsyncGenerator<string> {
  const file = createReadStream(path, { highWaterMark: 1024 * 1024 });
  const stream = compressed ? file.pipe(createGunzip({ chunkSize: 1024 * 1024 })) : file;
  if (compressed) file.on("error", (error) => stream.destroy(error));
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    // Only what is new is searched: a document of one line would else be searched anew with every chunk.
    const [first = "", ...others] = decoder.decode(chunk as Uint8Array, { stream: true }).split("\n");
    rest += first;
    if (rest.length > Math.max(MAX_RECORD_BYTES, MAX_DOCUMENT_BYTES)) throw new Error("a line has no end");
    const last = others.pop();
    if (last === undefined) continue;
    yield rest;
    yield* others;
    rest = last;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
