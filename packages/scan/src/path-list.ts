import { zstdCompressSync, zstdDecompressSync } from "node:zlib";

const BLOCK_CHARACTERS = 2 * 1024 * 1024;
/** UTF-8 needs at most three bytes for a UTF-16 unit, and one path may pass the block's end. */
const MAX_BLOCK_BYTES = BLOCK_CHARACTERS * 3 + 1024 * 1024;
const LENGTH_BYTES = 4;
/** Longer than any path of Linux; what is cut here names no file. */
const MAX_PATH_CHARACTERS = 16 * 1024;
const LEVEL = 1;

/**
 * Collects strings into a compact list: NUL-separated text in zstd blocks, each after its length. What is added is one
 * string of the list whatever it holds: a NUL within it becomes U+FFFD, so that a name cannot forge its neighbours.
 */
export interface PathListWriter {
  add(path: string): void;
  /** Ends the list. */
  finish(): Uint8Array;
}

/**
 * A list of a million paths takes some 10 MB this way, and a few while it is written.
 *
 * @example const list = pathListWriter(); list.add("etc/passwd"); [...readPathList(list.finish())]; // ["etc/passwd"]
 */
export function pathListWriter(): PathListWriter {
  const blocks: Uint8Array[] = [];
  let pending: string[] = [];
  let characters = 0;
  const flush = () => {
    if (pending.length === 0) return;
    const block = zstdCompressSync(Buffer.from(pending.join("\0"), "utf8"), { params: { 100: LEVEL } });
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(block.length);
    blocks.push(length, block);
    pending = [];
    characters = 0;
  };
  return {
    add(value) {
      const path = value.slice(0, MAX_PATH_CHARACTERS).replaceAll("\0", "\ufffd");
      pending.push(path);
      characters += path.length + 1;
      if (characters >= BLOCK_CHARACTERS) flush();
    },
    finish() {
      flush();
      return Buffer.concat(blocks);
    },
  };
}

/** The strings of a list, in the order they were added. */
export function* readPathList(list: Uint8Array): Generator<string> {
  const bytes = Buffer.from(list.buffer, list.byteOffset, list.byteLength);
  for (let at = 0; at + LENGTH_BYTES <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    const block = bytes.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length);
    yield* zstdDecompressSync(block, { maxOutputLength: MAX_BLOCK_BYTES }).toString("utf8").split("\0");
    at += LENGTH_BYTES + length;
  }
}
