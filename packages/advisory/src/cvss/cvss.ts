import type { Cvss, Severity } from "@bulwark/model";
import { cvss2Score } from "./cvss2.ts";
import { cvss3Score } from "./cvss3.ts";
import { cvss4Score } from "./cvss4.ts";

const MAX_VECTOR_LENGTH = 400;

/** Reads a vector of any version; undefined when it is none or lacks a base metric. */
export function readCvss(vector: string): Cvss | undefined {
  if (vector.length > MAX_VECTOR_LENGTH) return undefined;
  const version = versionOf(vector);
  if (version === undefined) return undefined;
  const score = version === "4.0" ? cvss4Score(vector) : version === "2.0" ? cvss2Score(vector) : cvss3Score(vector);
  // Values such as "constructor" are found in every object and weigh nothing.
  return score === undefined || !Number.isFinite(score) ? undefined : { version, vector, score };
}

function versionOf(vector: string): Cvss["version"] | undefined {
  if (vector.startsWith("CVSS:4.0/")) return "4.0";
  if (vector.startsWith("CVSS:3.1/")) return "3.1";
  if (vector.startsWith("CVSS:3.0/")) return "3.0";
  return /^\(?AV:[LAN]\//.test(vector) ? "2.0" : undefined;
}

/** Of several vectors the one of the newest CVSS version, the highest among those. */
export function bestCvss(vectors: readonly string[]): Cvss | undefined {
  const read = vectors.map(readCvss).filter((cvss) => cvss !== undefined);
  return read.sort((a, b) => (a.version < b.version ? 1 : a.version > b.version ? -1 : b.score - a.score))[0];
}

/** Qualitative rating of a score (CVSS 3.1, section 5; CVSS 4.0, section 6). */
export function severityOfScore(score: number): Severity {
  if (score >= 9) return "critical";
  if (score >= 7) return "high";
  if (score >= 4) return "medium";
  return score > 0 ? "low" : "negligible";
}
