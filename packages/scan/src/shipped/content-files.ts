import { createHash } from "node:crypto";
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { ScanError } from "../errors.ts";

const MAX_FILE_BYTES = 32 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** Of all files of a folder. */
const MAX_FOLDER_BYTES = 128 * 1024 * 1024;

/** A file of rules or lists. */
export interface ContentFileText {
  /** Path below the folder it was found in, or as the user gave it. */
  readonly name: string;
  readonly text: string;
}

/**
 * All files below a folder whose names end with one of the endings, sorted.
 *
 * @throws Error for what cannot be read, is no file, or too large
 */
export function filesBelow(folder: string, endings: readonly string[]): readonly ContentFileText[] {
  let left = MAX_FOLDER_BYTES;
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .sort()
    .map((name) => {
      const path = join(folder, name);
      if (!statSync(path).isFile()) throw new Error(`${path} is no regular file`); // a pipe would be waited for
      const text = readBounded(path);
      left -= text.length;
      if (left < 0) throw new Error(`its files have more than ${MAX_FOLDER_BYTES} bytes`);
      return { name, text };
    });
}

/** A file's text. Pipes and devices do not tell their size beforehand: no more than the bound is read of anything. */
function readBounded(path: string): string {
  const descriptor = openSync(path, "r");
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const bytes = readSync(descriptor, chunk);
      if (bytes === 0) return Buffer.concat(chunks).toString("utf8");
      size += bytes;
      if (size > MAX_FILE_BYTES) throw new Error(`${path} has more than ${MAX_FILE_BYTES} bytes`);
      chunks.push(chunk.subarray(0, bytes));
    }
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Files that the user named; a folder stands for all files below it with one of the endings.
 *
 * @throws ScanError `FILE_UNREADABLE`
 */
export function namedFiles(
  paths: readonly string[],
  endings: readonly string[],
  what: string,
): readonly ContentFileText[] {
  return paths.flatMap((path) => {
    try {
      return statSync(path).isDirectory() ? filesBelow(path, endings) : [{ name: path, text: readBounded(path) }];
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ScanError("FILE_UNREADABLE", `the ${what} ${path} cannot be read: ${why}`, "check its path", cause);
    }
  });
}

/** Names the content of files, for cache keys. */
export function digestOfFiles(release: string, files: readonly ContentFileText[]): string {
  const hash = createHash("sha256").update(release);
  for (const { name, text } of files) hash.update(`\0${name}\0${text.length}\0${text}`);
  return hash.digest("hex").slice(0, 16);
}
