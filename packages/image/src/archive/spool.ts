import { constants } from "node:fs";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { imageError, reasonOf } from "../errors.ts";

const BATCH_BYTES = 1024 * 1024;

/** A temporary file without a name. */
export interface SpoolFile {
  readonly handle: FileHandle;
  readonly size: number;
}

/**
 * Puts a stream that cannot be read in any other order into a private temporary file, whose name is removed before the
 * first byte is written: nobody else can open it, and nothing stays behind however this process ends.
 *
 * @throws LAYER_LIMIT beyond the limit, SOURCE_INVALID when there is no room
 */
export async function spool(what: string, stream: AsyncIterable<Uint8Array>, limitBytes: number): Promise<SpoolFile> {
  const handle = await namelessFile();
  try {
    return { handle, size: await fill(what, handle, stream, limitBytes) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A private temporary file that has no name any more. */
export async function namelessFile(): Promise<FileHandle> {
  const directory = await mkdtemp(join(tmpdir(), "bulwark-"));
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    return await open(join(directory, "content"), flags, 0o600);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function fill(
  what: string,
  handle: FileHandle,
  stream: AsyncIterable<Uint8Array>,
  limitBytes: number,
): Promise<number> {
  let size = 0;
  let parts: Uint8Array[] = [];
  let held = 0;
  const flush = async (): Promise<void> => {
    try {
      if (held > 0) await handle.writev(parts);
    } catch (error) {
      throw imageError(
        "SOURCE_INVALID",
        `${what} cannot be kept in a temporary file: ${reasonOf(error)}`,
        `make room in ${tmpdir()} or set TMPDIR`,
        error,
      );
    }
    parts = [];
    held = 0;
  };
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > limitBytes)
      throw imageError("LAYER_LIMIT", `${what} is larger than ${limitBytes} bytes (limit maxBlobBytes)`);
    parts.push(chunk);
    held += chunk.length;
    if (held >= BATCH_BYTES) await flush();
  }
  await flush();
  return size;
}
