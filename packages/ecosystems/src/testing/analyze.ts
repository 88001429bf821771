import { createHash } from "node:crypto";
import { inflateRawSync, inflateSync } from "node:zlib";
import type { Analyzer, AnalyzerTools, FileFacts } from "@bulwark/model";
import fc from "fast-check";
import { expect } from "vitest";

const tools: AnalyzerTools = {
  inflateRaw: (bytes, limitBytes) => inflateRawSync(bytes, { maxOutputLength: limitBytes }),
  inflateZlib: (bytes, limitBytes) => inflateSync(bytes, { maxOutputLength: limitBytes }),
  sha1: (bytes) => createHash("sha1").update(bytes).digest("hex"),
};

/** What an analyzer reads from one file. */
export function analyze(analyzer: Analyzer, path: string, content: string | Uint8Array): FileFacts {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return analyzer.read({ path, bytes, mode: 0o644 }, tools);
}

/** The file cut off at every sixteenth of its length. */
export function tornPieces(bytes: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: 16 }, (_, part) => bytes.subarray(0, Math.floor((bytes.length * part) / 16)));
}

/** Reads many damaged copies of a file: overwritten bytes and cut ends. Nothing may throw or take long. */
export function expectNoThrowOnDamage(analyzer: Analyzer, path: string, bytes: Uint8Array, runs: number): void {
  const damage = fc.array(
    fc.tuple(fc.nat(Math.max(0, bytes.length - 1)), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 0x0a)),
    {
      minLength: 1,
      maxLength: 24,
    },
  );
  const longestMs = 5_000;
  fc.assert(
    fc.property(damage, fc.nat(bytes.length), fc.boolean(), (changes, end, cut) => {
      const copy = Uint8Array.from(bytes);
      for (const [at, value] of changes) copy[at] = value;
      const startedAt = performance.now();
      analyze(analyzer, path, cut ? copy.subarray(0, end) : copy);
      expect(performance.now() - startedAt).toBeLessThan(longestMs);
    }),
    { numRuns: runs },
  );
}
