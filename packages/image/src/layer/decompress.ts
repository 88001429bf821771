import type { Transform } from "node:stream";
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { imageError, isImageError, reasonOf } from "../errors.ts";
import type { Limits } from "../limits.ts";

export type Compression = "gzip" | "zstd" | "none";

/** Output piece of the decompressor. Node's default of 16 KiB costs four times the time. */
const OUTPUT_CHUNK_BYTES = 1024 * 1024;
/** Compressed chunks given to zlib ahead of time, so that its thread never waits for the next one. */
const WRITES_AHEAD = 2;

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
 * @throws (from write and end) LAYER_TORN, LAYER_INVALID, and whatever `onOutput` throws
 */
export function createDecompressor(
  compression: Compression,
  limits: Pick<Limits, "zstdWindowLog">,
  onOutput: (chunk: Uint8Array) => void,
): Decompressor {
  return compression === "none" ? createPassage(onOutput) : createInflater(compression, limits, onOutput);
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

/** One run of the engine: Node's zstd stops after the first frame, so that a layer may take several. */
interface Run {
  readonly engine: Transform & { readonly bytesWritten: number };
  /** Chunks given to the engine, and how many bytes came before the first of them. */
  readonly given: Uint8Array[];
  givenBefore: number;
  ended: boolean;
}

function createInflater(
  compression: "gzip" | "zstd",
  limits: Pick<Limits, "zstdWindowLog">,
  onOutput: (chunk: Uint8Array) => void,
): Decompressor {
  let failure: unknown;
  let run: Run | undefined;
  let paddingOnly = false;
  let writesPending = 0;
  let wake: (() => void) | undefined;

  const changed = (): void => {
    wake?.();
    wake = undefined;
  };
  const fail = (error: unknown): void => {
    failure ??= error;
    run?.engine.destroy();
    changed();
  };

  const start = (): Run => {
    const started: Run = {
      engine: engineFor(compression, limits.zstdWindowLog),
      given: [],
      givenBefore: 0,
      ended: false,
    };
    started.engine.on("data", (chunk: Uint8Array) => {
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
    started.engine.on("error", (error) => fail(explain(compression, error)));
    started.engine.on("end", () => {
      queueMicrotask(() => {
        started.ended = true;
        writesPending = 0;
        changed();
      });
    });
    return started;
  };

  /** What the engine was given and did not use, when it came to the end of a frame by itself. */
  const leftover = (ended: Run): Uint8Array => {
    const unused = Buffer.concat(ended.given);
    return unused.subarray(ended.engine.bytesWritten - ended.givenBefore);
  };

  const waitUntil = async (ready: () => boolean): Promise<void> => {
    while (failure === undefined && !ready()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (failure !== undefined) throw failure;
  };

  const give = (chunk: Uint8Array): void => {
    if (chunk.length === 0) return;
    run ??= start();
    const current = run;
    current.given.push(chunk);
    writesPending++;
    current.engine.write(chunk, () => {
      if (current !== run || current.ended) return;
      writesPending--;
      while (current.given.length > writesPending + 1) current.givenBefore += current.given.shift()!.length;
      changed();
    });
  };

  /** Goes on after an engine that stopped: with a further zstd frame, or with nothing but zeros. */
  const restart = (): void => {
    const rest = leftover(run!);
    run = undefined;
    if (compression === "gzip") {
      paddingOnly = true;
      requirePadding(rest);
      return;
    }
    if (rest.length > 0 && rest.every((byte) => byte === 0)) {
      paddingOnly = true;
      return;
    }
    give(rest);
  };

  const settle = async (): Promise<void> => {
    while (run?.ended) {
      restart();
      await waitUntil(() => run === undefined || run.ended || writesPending === 0);
    }
  };

  return {
    async write(chunk) {
      if (failure !== undefined) throw failure;
      if (paddingOnly) return requirePadding(chunk);
      if (run?.ended) await settle();
      if (paddingOnly) return requirePadding(chunk);
      give(chunk);
      await waitUntil(() => writesPending < WRITES_AHEAD || run?.ended === true);
    },
    async end() {
      await waitUntil(() => writesPending === 0 || run?.ended === true);
      await settle();
      while (run !== undefined) {
        const last: Run = run;
        last.engine.end();
        await waitUntil(() => last.ended);
        const whole =
          last.engine.bytesWritten >= last.givenBefore + last.given.reduce((sum, chunk) => sum + chunk.length, 0);
        if (whole) run = undefined;
        else await settle();
      }
    },
    destroy() {
      failure ??= imageError("CANCELLED", "reading the layer was cancelled");
      run?.engine.destroy();
    },
  };
}

/** Tapes and some tools fill up with zeros; anything else after the end is content that two readers may see differently. */
function requirePadding(chunk: Uint8Array): void {
  if (chunk.every((byte) => byte === 0)) return;
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
