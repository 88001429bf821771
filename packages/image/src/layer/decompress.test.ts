import { createHash, randomBytes } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../limits.ts";
import { createDecompressor } from "./decompress.ts";

const content = Buffer.concat(
  Array.from({ length: 5 }, () => Buffer.concat([randomBytes(200_000), Buffer.alloc(900_000)])),
);
const forms = { gzip: gzipSync(content), zstd: zstdCompressSync(content) };

async function decompress(
  compression: "gzip" | "zstd",
  onOutput: (piece: Uint8Array) => void,
  use?: "kept" | "during-call",
): Promise<void> {
  const decompressor = createDecompressor(compression, DEFAULT_LIMITS, onOutput, use);
  const stored = forms[compression];
  for (let at = 0; at < stored.length; at += 300_000) await decompressor.write(stored.subarray(at, at + 300_000));
  await decompressor.end();
}

test.each(["gzip", "zstd"] as const)("pieces of %s that are kept stay what they are", async (compression) => {
  const pieces: Uint8Array[] = [];
  await decompress(compression, (piece) => pieces.push(piece));
  expect(Buffer.concat(pieces).equals(content)).toBe(true);
});

test.each(["gzip", "zstd"] as const)(
  "the memory of pieces of %s that are read at once is freed",
  async (compression) => {
    const pieces: Uint8Array[] = [];
    const hash = createHash("sha256");
    await decompress(
      compression,
      (piece) => {
        hash.update(piece);
        pieces.push(piece);
      },
      "during-call",
    );
    expect(hash.digest("hex")).toBe(createHash("sha256").update(content).digest("hex"));
    const held = pieces.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    expect(held).toBeLessThanOrEqual(1024 * 1024);
  },
);
