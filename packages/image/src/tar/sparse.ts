import type { ContentSink } from "@bulwark/model";

/** Data pieces of a sparse file: offset and length in turn, ascending, without overlap. */
export type SparseMap = readonly number[];

const HOLE = new Uint8Array(1024 * 1024);

/**
 * Judges a sparse map: pieces ascend, lie inside the file, and hold together exactly the stored bytes.
 *
 * @returns what is wrong, empty when nothing is
 */
export function judgeSparseMap(map: SparseMap, realSize: number, storedSize: number): string {
  if (map.length % 2 !== 0) return "sparse map has a piece without a length";
  let end = 0;
  let stored = 0;
  for (let i = 0; i < map.length; i += 2) {
    const offset = map[i]!;
    const length = map[i + 1]!;
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < end || length < 0) {
      return "sparse map's pieces overlap or go back";
    }
    end = offset + length;
    stored += length;
  }
  if (end > realSize) return "sparse map reaches past the end of the file";
  return stored === storedSize ? "" : "sparse map does not hold the stored bytes";
}

/** Wraps a sink so that it gets the whole file, holes as zeros, from the stored pieces alone. */
export function fillHoles(sink: ContentSink, map: SparseMap, realSize: number): ContentSink {
  let position = 0;
  let piece = 0;
  let done = 0;
  const zeros = (until: number): void => {
    while (position < until) {
      const length = Math.min(HOLE.length, until - position);
      sink.write(length === HOLE.length ? HOLE : HOLE.subarray(0, length));
      position += length;
    }
  };
  return {
    write(chunk) {
      let at = 0;
      while (at < chunk.length && piece < map.length) {
        zeros(map[piece]!);
        const length = Math.min(map[piece + 1]! - done, chunk.length - at);
        if (length > 0) sink.write(chunk.subarray(at, at + length));
        at += length;
        position += length;
        done += length;
        if (done === map[piece + 1]) {
          piece += 2;
          done = 0;
        }
      }
    },
    end(complete) {
      if (complete) zeros(realSize);
      sink.end(complete);
    },
  };
}

/** Takes the blocks of a sparse map one by one. */
export interface SparseMapReader {
  /** Gives the map once it is whole, a sentence when it is broken, `undefined` while more blocks are needed. */
  push(block: Uint8Array): SparseMap | string | undefined;
}

/**
 * Reads the map that GNU format 1.0 puts before the data: decimal lines with the number of pieces and then each
 * piece's offset and length, filled up to a whole block (GNU tar manual, "Storing Sparse Files").
 */
export function sparseMapReader(): SparseMapReader {
  const numbers: number[] = [];
  let current = -1;
  return {
    push(block) {
      for (const byte of block) {
        if (byte === 0x0a) {
          if (current < 0) return "sparse map has an empty line";
          numbers.push(current);
          current = -1;
          if (numbers.length === 1 + 2 * numbers[0]!) return numbers.slice(1);
          continue;
        }
        if (byte < 0x30 || byte > 0x39) return "sparse map holds something that is no number";
        current = Math.max(current, 0) * 10 + byte - 0x30;
        if (!Number.isSafeInteger(current)) return "sparse map holds a number that is too large";
      }
      return undefined;
    },
  };
}
