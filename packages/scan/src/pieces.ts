import { createHash, hash } from "node:crypto";
import type { ContentSink } from "@bulwark/model";
import type { Scratch } from "./scratch.ts";

/** Larger files come in pieces of this size. */
export const PIECE_BYTES = 4 * 1024 * 1024;
/** What two pieces share, so that nothing of interest is cut: patterns are far shorter. */
const OVERLAP_BYTES = 64 * 1024;
const HEAD_BYTES = 4_096;
const NEWLINE = 0x0a;

/** A part of a file, or all of it. Valid only during the call that gives it. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly head: Uint8Array;
  /** The whole content, where that is at hand. */
  readonly whole: Uint8Array | undefined;
  /** SHA-256 of `whole` where that was asked for. */
  readonly digest: string | undefined;
  /** SHA-256 of the whole file where that was asked for; with the last piece. */
  readonly sha256: string | undefined;
  /** Line ends before the piece. */
  readonly linesBefore: number;
}

/** The pieces of content that is at hand whole. */
export function* piecesOf(whole: Uint8Array, digested: boolean): Generator<Piece> {
  const digest = digested ? hash("sha256", whole) : undefined;
  const head = whole.subarray(0, HEAD_BYTES);
  let linesBefore = 0;
  for (let offset = 0; ; offset += PIECE_BYTES - OVERLAP_BYTES) {
    const bytes = whole.subarray(offset, offset + PIECE_BYTES);
    const isLast = offset + PIECE_BYTES >= whole.length;
    yield { bytes, offset, head, whole, digest, linesBefore, sha256: isLast ? digest : undefined };
    if (isLast) return;
    linesBefore += linesIn(bytes.subarray(0, PIECE_BYTES - OVERLAP_BYTES));
  }
}

/** A sink that gives a file in pieces, of which only one is held. A file that the layer cuts short has no last piece. */
export function inPieces(
  sizeBytes: number,
  scratch: Scratch,
  digested: boolean,
  visit: (piece: Piece) => void,
): ContentSink {
  const buffer = scratch.buffer.subarray(0, PIECE_BYTES);
  const hasher = digested ? createHash("sha256") : undefined;
  let head: Uint8Array | undefined;
  let filled = 0;
  let offset = 0;
  let linesBefore = 0;
  const give = (isLast: boolean) => {
    head ??= Uint8Array.from(buffer.subarray(0, HEAD_BYTES));
    const sha256 = isLast ? hasher?.digest("hex") : undefined;
    visit({
      bytes: buffer.subarray(0, filled),
      offset,
      head,
      whole: undefined,
      digest: undefined,
      sha256,
      linesBefore,
    });
  };
  const advance = () => {
    const step = filled - OVERLAP_BYTES;
    linesBefore += linesIn(buffer.subarray(0, step));
    buffer.copyWithin(0, step, filled);
    offset += step;
    filled = OVERLAP_BYTES;
  };
  return {
    write(chunk) {
      hasher?.update(chunk);
      for (let at = 0; at < chunk.length; ) {
        if (filled === PIECE_BYTES) {
          give(false);
          advance();
        }
        const part = chunk.subarray(at, at + PIECE_BYTES - filled);
        buffer.set(part, filled);
        filled += part.length;
        at += part.length;
      }
    },
    end(complete) {
      try {
        if (complete && offset + filled === sizeBytes) give(true);
      } finally {
        scratch.release();
      }
    },
  };
}

function linesIn(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}
