import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { AdvisoryError } from "./errors.ts";
import { openFile } from "./store/open-file.ts";

const MAX_DATABASE_BYTES = 2 * 1024 * 1024 * 1024 - 1;
const LEVEL = 12;

/**
 * The database as one compressed blob, for carrying into networks without access to the feeds.
 *
 * @throws AdvisoryError as opening does
 */
export function packDatabase(file: string): Uint8Array {
  openFile(file, "read").close();
  return zstdCompressSync(readFileSync(file), { params: { 100: LEVEL } });
}

/**
 * Puts a packed database in the place of `file`, after checking that it is one.
 *
 * @throws AdvisoryError `ARTIFACT_INVALID`, `DATABASE_VERSION`, `DATABASE_DAMAGED`; the old database is then unchanged
 */
export function unpackDatabase(blob: Uint8Array, file: string): void {
  let content: Buffer;
  try {
    content = zstdDecompressSync(blob, { maxOutputLength: MAX_DATABASE_BYTES });
  } catch (cause) {
    throw new AdvisoryError(
      "ARTIFACT_INVALID",
      "the artifact is no packed advisory database",
      "push it anew with bulwark db push",
      cause,
    );
  }
  mkdirSync(dirname(file), { recursive: true });
  const copy = `${file}.${process.pid}.new`;
  try {
    writeFileSync(copy, content, { flush: true });
    openFile(copy, "read").close();
    renameSync(copy, file);
  } finally {
    rmSync(copy, { force: true });
  }
}
