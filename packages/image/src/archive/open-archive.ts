import type { FileHandle } from "node:fs/promises";
import { collect } from "../content-source.ts";
import { imageError, named } from "../errors.ts";
import { createDecompressor, detectCompression } from "../layer/decompress.ts";
import type { Limits } from "../limits.ts";
import type { OpenedImage } from "../opened-image.ts";
import type { ResolveOptions } from "../resolve.ts";
import { type ArchiveFiles, openDockerArchive } from "./docker-archive.ts";
import { openRegularFile, readRange } from "./file-blob.ts";
import { openLayout } from "./layout.ts";
import { spool } from "./spool.ts";
import { indexTar, memberStream, type TarIndex } from "./tar-index.ts";

/**
 * Opens an archive file. A plain tar is read in place; a compressed one, whose members cannot be reached in any other
 * order than its own, is unpacked once into a private temporary file without a name.
 *
 * @param selector name or tag of the image when the archive holds several; else empty
 */
export async function openArchive(path: string, selector: string, options: ResolveOptions): Promise<OpenedImage> {
  const file = await openRegularFile(path);
  const head = Buffer.alloc(4);
  await file.handle.read(head, 0, 4, 0);
  const compression = detectCompression(head);
  if (compression === "none") return openArchiveHandle(path, file.handle, file.size, selector, options);
  try {
    const stream = decompressed(
      path,
      readRange(file.handle, 0, file.size, options.signal),
      compression,
      options.limits,
    );
    const spooled = await spool(path, stream, options.limits.maxBlobBytes).catch((error) => {
      throw named(error, path);
    });
    return await openArchiveHandle(path, spooled.handle, spooled.size, selector, options);
  } finally {
    await file.handle.close();
  }
}

/** Opens an archive that is an open file; closes the file with the image, or when it fails. */
export async function openArchiveHandle(
  what: string,
  handle: FileHandle,
  size: number,
  selector: string,
  options: ResolveOptions,
): Promise<OpenedImage> {
  try {
    const index = await indexTar(what, handle, size, options.limits, options.signal);
    const files = archiveFiles(what, handle, index);
    // Newer engines write both layouts into one archive. The OCI one has manifest and blob digests, so it goes first.
    const isLayout = index.find("oci-layout") !== undefined && index.find("index.json") !== undefined;
    return isLayout
      ? await openLayout(what, files, selector, options)
      : await openDockerArchive(what, files, selector, options);
  } catch (error) {
    await handle.close();
    throw named(error, what);
  }
}

function archiveFiles(what: string, handle: FileHandle, index: TarIndex): ArchiveFiles {
  return {
    async read(path, limitBytes) {
      const member = index.find(path);
      return member && collect(`${path} of ${what}`, memberStream(handle, member), limitBytes);
    },
    stream(path, signal) {
      const member = index.find(path);
      if (member === undefined) throw imageError("LAYER_TORN", `${what} has no ${path}`, "save the image again");
      return memberStream(handle, member, signal);
    },
    size: (path) => index.find(path)?.size,
    close: () => handle.close(),
  };
}

async function* decompressed(
  what: string,
  stream: AsyncIterable<Uint8Array>,
  compression: "gzip" | "zstd",
  limits: Limits,
): AsyncGenerator<Uint8Array> {
  let ready: Uint8Array[] = [];
  let bytes = 0;
  const decompressor = createDecompressor(compression, limits, (chunk) => {
    bytes += chunk.length;
    if (bytes > limits.maxBlobBytes)
      throw imageError(
        "LAYER_LIMIT",
        `${what} is larger than ${limits.maxBlobBytes} bytes uncompressed (limit maxBlobBytes)`,
      );
    ready.push(chunk);
  });
  try {
    for await (const chunk of stream) {
      // Small pieces, so that even a bomb gives no more than a thousand times this much at once.
      for (let at = 0; at < chunk.length; at += 16 * 1024) {
        await decompressor.write(chunk.subarray(at, at + 16 * 1024));
        yield* ready;
        ready = [];
      }
    }
    await decompressor.end();
    yield* ready;
  } finally {
    decompressor.destroy();
  }
}
