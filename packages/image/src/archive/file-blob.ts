import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { imageError, reasonOf, throwIfCancelled } from "../errors.ts";

/** One read of a file. */
const READ_CHUNK_BYTES = 1024 * 1024;

/**
 * Opens a regular file. Anything else (a FIFO that never answers, a device, a directory) is refused, without waiting.
 *
 * @throws SOURCE_NOT_FOUND, SOURCE_INVALID
 */
export async function openRegularFile(path: string): Promise<{ readonly handle: FileHandle; readonly size: number }> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw imageError(
      missing ? "SOURCE_NOT_FOUND" : "SOURCE_INVALID",
      `${path} cannot be opened: ${reasonOf(error)}`,
      missing ? "check the path" : "check its permissions",
      error,
    );
  }
  const stat = await handle.stat();
  if (stat.isFile()) return { handle, size: stat.size };
  await handle.close();
  throw imageError("SOURCE_INVALID", `${path} is no regular file`);
}

/** Reads a range of an open file, one chunk ahead of what is asked for. Ends early where the file does. */
export async function* readRange(
  handle: FileHandle,
  start: number,
  length: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let position = start;
  const end = start + length;
  const readNext = async (): Promise<Uint8Array> => {
    const size = Math.min(READ_CHUNK_BYTES, end - position);
    if (size <= 0) return Buffer.alloc(0);
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(size), 0, size, position);
    position += bytesRead;
    return buffer.subarray(0, bytesRead);
  };
  let next = readNext();
  try {
    while (true) {
      const chunk = await next;
      throwIfCancelled(signal);
      if (chunk.length === 0) return;
      next = readNext();
      yield chunk;
    }
  } finally {
    // The read ahead must be over before the file may be closed; its failure was or will be thrown above.
    await next.catch(() => undefined);
  }
}
