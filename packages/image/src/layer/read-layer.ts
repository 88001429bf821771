import type { EntryVisitor } from "@bulwark/model";
import { algorithmOf, finish, hasherFor, requireDigest } from "../digest.ts";
import { imageError, named, throwIfCancelled } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { TarReader } from "../tar/tar-reader.ts";
import { type Compression, createDecompressor, type Decompressor, detectCompression } from "./decompress.ts";

/** What reading one layer gave. */
export interface LayerSummary {
  /** Digest of the uncompressed tar, computed while reading; empty for a root file system directory. */
  readonly diffId: string;
  readonly entries: number;
  /** Uncompressed bytes. */
  readonly bytes: number;
}

export interface ReadLayerOptions {
  readonly signal?: AbortSignal;
  /** The layer may be read again soon: where that costs traffic, its stored bytes are kept on disk until `forgetLayer`. */
  readonly keep?: boolean;
  /**
   * The layer was read and verified before: where its stored bytes are verified again, what they unpack to is the same, and
   * is not hashed a second time.
   */
  readonly again?: boolean;
  /** Called with the stored bytes read so far, after each chunk. */
  onBytes?(storedBytes: number): void;
  /** Asked after each chunk; reading goes on when what it gives is done: for visitors that hand content on. */
  settle?(): Promise<void> | undefined;
  /** Asked for each directory of a source that is one on disk: true leaves out what is below it. */
  skipDirectory?(path: string): boolean;
  /** Told of what was made safe or left out: `..`, unknown types, broken PAX records, unreadable files. */
  onProblem?(path: string, what: string): void;
}

/** What is known of a layer's stored stream before it is read. */
export interface LayerStream {
  /** Names the layer in errors: `layer 3 (sha256:…)`. */
  readonly what: string;
  /** Digest of the stored bytes; empty when none is known (docker archives). */
  readonly digest: string;
  /** Stored bytes; the stream is cut there. */
  readonly size: number;
  /** Digest of the uncompressed tar; empty when none is known. */
  readonly diffId: string;
  /** Where it names a compression, what the bytes say is held against it; empty when there is none. */
  readonly mediaType: string;
}

/** Compressed chunks below this are put together first: each one costs a round through the thread pool. */
const INPUT_CHUNK_BYTES = 256 * 1024;

/**
 * Reads a layer in one pass: hash of the stored bytes, decompression, hash of the tar, entries to the visitor. The
 * bytes decide about the compression, not the media type.
 *
 * @throws DIGEST_MISMATCH, LAYER_TORN, LAYER_INVALID, LAYER_LIMIT, CANCELLED; entries may have been visited before
 */
export async function readLayerStream(
  stream: AsyncIterable<Uint8Array>,
  layer: LayerStream,
  limits: Limits,
  visit: EntryVisitor,
  options: ReadLayerOptions = {},
): Promise<LayerSummary> {
  const reading = startReading(layer, limits, visit, options);
  try {
    for await (const chunk of joined(stream, layer.size)) {
      throwIfCancelled(options.signal);
      await reading.take(chunk);
      options.onBytes?.(reading.stored());
      await options.settle?.();
    }
    return await reading.finish();
  } catch (error) {
    throw named(error, layer.what);
  } finally {
    reading.abandon();
  }
}

/** Chunks of a useful size, no byte beyond the declared ones. */
async function* joined(stream: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let held = 0;
  let left = size;
  for await (const chunk of stream) {
    const part = chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= part.length;
    parts.push(part);
    held += part.length;
    if (held >= INPUT_CHUNK_BYTES || left === 0) {
      if (held > 0) yield parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      parts = [];
      held = 0;
    }
    if (left === 0) return;
  }
  if (held > 0) yield Buffer.concat(parts);
}

function startReading(layer: LayerStream, limits: Limits, visit: EntryVisitor, options: ReadLayerOptions) {
  const onProblem = boundedProblems(limits, options);
  const tar = new TarReader(visit, { limits, whiteouts: true, onProblem });
  const storedHash = layer.digest === "" ? undefined : hasherFor(layer.digest);
  const diffAlgorithm = layer.diffId === "" ? "sha256" : algorithmOf(layer.diffId);
  const isKnown = options.again === true && storedHash !== undefined && layer.diffId !== "";
  const diffHash = isKnown ? undefined : hasherFor(`${diffAlgorithm}:`);
  let decompressor: Decompressor | undefined;
  let stored = 0;
  let bytes = 0;

  const takeOutput = (chunk: Uint8Array): void => {
    bytes += chunk.length;
    if (bytes > limits.maxLayerBytes) {
      throw imageError("LAYER_LIMIT", `more than ${limits.maxLayerBytes} uncompressed bytes (limit maxLayerBytes)`);
    }
    if (bytes > limits.ratioFreeBytes && bytes > stored * limits.maxRatio) {
      throw imageError(
        "LAYER_LIMIT",
        `${stored} bytes grew to more than ${limits.maxRatio} times their size (limit maxRatio)`,
      );
    }
    diffHash?.update(chunk);
    tar.write(chunk);
  };

  const start = (compression: Compression): Decompressor => {
    const promised = compressionOf(layer.mediaType);
    if (promised !== undefined && promised !== compression) {
      onProblem(
        "",
        `media type ${layer.mediaType} promises ${promised} but the bytes are ${compression}: read as ${compression}`,
      );
    }
    return createDecompressor(compression, limits, takeOutput, "during-call");
  };

  return {
    stored: () => stored,
    async take(chunk: Uint8Array): Promise<void> {
      stored += chunk.length;
      storedHash?.update(chunk);
      decompressor ??= start(detectCompression(chunk));
      await decompressor.write(chunk);
    },
    async finish(): Promise<LayerSummary> {
      if (stored < layer.size) {
        throw imageError("LAYER_TORN", `holds ${stored} of ${layer.size} bytes`, "pull or save the image again");
      }
      if (storedHash !== undefined)
        requireDigest(layer.what, layer.digest, finish(storedHash, algorithmOf(layer.digest)));
      await decompressor?.end();
      tar.end();
      if (diffHash === undefined) return { diffId: layer.diffId, entries: tar.entries, bytes };
      const diffId = finish(diffHash, diffAlgorithm);
      if (layer.diffId !== "") requireDigest(`${layer.what}, uncompressed,`, layer.diffId, diffId);
      return { diffId, entries: tar.entries, bytes };
    },
    abandon(): void {
      tar.abandon();
      decompressor?.destroy();
    },
  };
}

function compressionOf(mediaType: string): Compression | undefined {
  if (/[.+]gzip$/.test(mediaType)) return "gzip";
  if (mediaType.endsWith("+zstd")) return "zstd";
  return /^application\/vnd\.oci\.image\.layer\..*tar$/.test(mediaType) ? "none" : undefined;
}

function boundedProblems(limits: Limits, options: ReadLayerOptions): (path: string, what: string) => void {
  let count = 0;
  return (path, what) => {
    count++;
    if (count <= limits.maxProblems) options.onProblem?.(path, what);
    else if (count === limits.maxProblems + 1)
      options.onProblem?.("", `more than ${limits.maxProblems} problems: further ones are not listed`);
  };
}
