import type { Transform } from "node:stream";
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { imageError, isImageError, reasonOf } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { isZero } from "../tar/header.ts";

export type Compression = "gzip" | "zstd" | "none";

/** Output piece of the decompressor. Node's default of 16 KiB costs four times the time. */
const OUTPUT_CHUNK_BYTES = 1024 * 1024;

/** Which compression the bytes begin with. RFC 1952 section 2.3.1, RFC 8878 sections 3.1.1 and 3.1.2. */
export function detectCompression(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  if (isZstdFrame(head)) return "zstd";
  return "none";
}

function isZstdFrame(head: Uint8Array): boolean {
  const rest = head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd;
  const skippable = (head[0]! & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
  return (head[0] === 0x28 && rest) || skippable;
}

/** Takes compressed chunks and gives the uncompressed ones to `onOutput`, in order. */
export interface Decompressor {
  /** Resolves when the chunk is taken and another may come; rejects with what went wrong so far. */
  write(chunk: Uint8Array): Promise<void>;
  /** Resolves once everything was given out. */
  end(): Promise<void>;
  /** Frees the decompressor before its end. */
  destroy(): void;
}

/**
 * A decompressor. Output is handled while the thread pool already works on the next piece.
 *
 * @param onOutput gets each piece; what it throws rejects the next `write` or `end`
 * @param use `during-call`: a piece is done with when `onOutput` returns, and its memory is freed at once
 * @throws (from write and end) LAYER_TORN, LAYER_INVALID, and whatever `onOutput` throws
 */
export function createDecompressor(
  compression: Compression,
  limits: Pick<Limits, "zstdWindowLog">,
  onOutput: (chunk: Uint8Array) => void,
  use: "kept" | "during-call" = "kept",
): Decompressor {
  if (compression === "none") return createPassage(onOutput); // these pieces are their giver's
  const passOn = (chunk: Uint8Array): void => {
    onOutput(chunk);
    free(chunk);
  };
  return createInflater(compression, limits, use === "during-call" ? passOn : onOutput);
}

function createPassage(onOutput: (chunk: Uint8Array) => void): Decompressor {
  return {
    async write(chunk) {
      onOutput(chunk);
    },
    async end() {},
    destroy() {},
  };
}

function engineFor(compression: "gzip" | "zstd", windowLog: number): Transform & { readonly bytesWritten: number } {
  const sizes = { chunkSize: OUTPUT_CHUNK_BYTES, readableHighWaterMark: 2 * OUTPUT_CHUNK_BYTES };
  if (compression === "gzip") return createGunzip(sizes);
  return createZstdDecompress({ ...sizes, params: { [constants.ZSTD_d_windowLogMax]: windowLog } });
}

type Engine = ReturnType<typeof engineFor>;

/**
 * Frees the memory of a piece of output. Left to the garbage collector, hundreds of megabytes pile up between two of its
 * runs, and their number makes it run often. The engine goes on to a new buffer when one is full, so that the piece that ends
 * with its buffer is the last one in it.
 */
function free({ buffer, byteOffset, byteLength }: Uint8Array): void {
  const isOwn = buffer instanceof ArrayBuffer && buffer.byteLength === OUTPUT_CHUNK_BYTES; // no part of Node's pool
  if (isOwn && byteOffset + byteLength === OUTPUT_CHUNK_BYTES) buffer.transfer(0);
}

/**
 * Feeds an engine one chunk at a time, the next one at the very moment the last is taken. Node's zstd engine stops after
 * the first frame and its gzip engine at padding, with no other sign than bytes it did not take: what is left then goes
 * to a new engine, since layers of many frames are common (zstd:chunked, pzstd) and losing them would hide files.
 */
function createInflater(
  compression: "gzip" | "zstd",
  limits: Pick<Limits, "zstdWindowLog">,
  onOutput: (chunk: Uint8Array) => void,
): Decompressor {
  let failure: unknown;
  let engine: Engine | undefined;
  /** Chunk that the engine works on, and how many bytes it had taken before. */
  let inFlight: Uint8Array | undefined;
  let takenBefore = 0;
  const queue: Uint8Array[] = [];
  let paddingOnly = false;
  let wake: (() => void) | undefined;

  const changed = (): void => {
    wake?.();
    wake = undefined;
  };
  const fail = (error: unknown): void => {
    failure ??= error;
    engine?.destroy();
    changed();
  };

  const start = (): Engine => {
    const started = engineFor(compression, limits.zstdWindowLog);
    takenBefore = 0;
    started.on("data", (chunk: Uint8Array) => {
      // Deferred, so that the engine has been given its next piece of work before this one is looked at.
      queueMicrotask(() => {
        if (failure !== undefined) return;
        try {
          onOutput(chunk);
        } catch (error) {
          fail(error);
        }
      });
    });
    started.on("error", (error) => {
      if (started === engine) fail(explain(compression, error));
    });
    // After the output that came before it.
    started.on("end", () => queueMicrotask(() => ended(started)));
    return started;
  };

  const pump = (): void => {
    if (failure !== undefined || inFlight !== undefined) return;
    const chunk = queue.shift();
    if (chunk === undefined) return;
    if (paddingOnly) {
      requirePadding(chunk);
      pump();
      return;
    }
    engine ??= start();
    const current = engine;
    inFlight = chunk;
    current.write(chunk, () => taken(current));
  };

  const advance = (): void => {
    try {
      pump();
    } catch (error) {
      fail(error);
    }
    changed();
  };

  const taken = (by: Engine): void => {
    // With bytes left over the engine has stopped, which its end will tell after its last output.
    if (by !== engine || inFlight === undefined || by.bytesWritten < takenBefore + inFlight.length) return;
    takenBefore += inFlight.length;
    inFlight = undefined;
    advance();
  };

  const ended = (by: Engine): void => {
    if (by !== engine) return;
    const rest = inFlight?.subarray(by.bytesWritten - takenBefore) ?? new Uint8Array(0);
    engine = undefined;
    inFlight = undefined;
    by.destroy();
    paddingOnly = compression === "gzip" || isZero(rest, 0, rest.length);
    if (rest.length > 0) queue.unshift(rest);
    advance();
  };

  const waitUntil = async (ready: () => boolean): Promise<void> => {
    while (failure === undefined && !ready()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (failure !== undefined) throw failure;
  };

  return {
    async write(chunk) {
      if (chunk.length === 0) return;
      queue.push(chunk);
      advance();
      await waitUntil(() => queue.length === 0);
    },
    async end() {
      await waitUntil(() => queue.length === 0 && inFlight === undefined);
      engine?.end();
      await waitUntil(() => engine === undefined);
    },
    destroy() {
      failure ??= imageError("CANCELLED", "reading the layer was cancelled");
      engine?.destroy();
    },
  };
}

/** Tapes and some tools fill up with zeros; anything else after the end is content that two readers may see differently. */
function requirePadding(chunk: Uint8Array): void {
  if (isZero(chunk, 0, chunk.length)) return;
  throw imageError("LAYER_INVALID", "data follows the end of the compressed stream");
}

function explain(compression: Compression, error: unknown): unknown {
  if (isImageError(error)) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (code === "Z_BUF_ERROR")
    return imageError("LAYER_TORN", `the ${compression} stream ends before its end`, "", error);
  if (/windowTooLarge|window_too_large|frameParameter/i.test(code)) {
    return imageError(
      "LAYER_LIMIT",
      "the zstd stream asks for a larger window than the limit zstdWindowLog allows",
      "",
      error,
    );
  }
  return imageError("LAYER_INVALID", `the ${compression} stream is broken: ${reasonOf(error)}`, "", error);
}
