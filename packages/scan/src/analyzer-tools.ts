import { createHash } from "node:crypto";
import { inflateRawSync, inflateSync } from "node:zlib";
import type { AnalyzerTools } from "@bulwark/model";

/** Node's own inflate and hash, for analyzers, which are pure and cannot reach them by themselves. */
export const analyzerTools: AnalyzerTools = {
  inflateRaw: (bytes, limitBytes) => inflateRawSync(bytes, { maxOutputLength: limitBytes }),
  inflateZlib: (bytes, limitBytes) => inflateSync(bytes, { maxOutputLength: limitBytes }),
  sha1: (bytes) => createHash("sha1").update(bytes).digest("hex"),
};
