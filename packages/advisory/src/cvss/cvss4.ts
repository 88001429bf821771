import bundle from "ae-cvss-calculator";

// A CommonJS bundle: its exports are the default import, whatever its types say.
const { Cvss4P0 } = bundle as unknown as typeof import("ae-cvss-calculator");

/** Base metrics without which there is no score (CVSS 4.0, section 7). */
const MANDATORY = ["AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"];

/** Score of a CVSS 4.0 vector, undefined when it is none. The macro-vector tables are the library's. */
export function cvss4Score(vector: string): number | undefined {
  const names = new Set(vector.split("/").map((part) => part.split(":", 1)[0] ?? ""));
  if (!MANDATORY.every((name) => names.has(name))) return undefined;
  try {
    const score: unknown = new Cvss4P0(vector).calculateScores().overall;
    return typeof score === "number" && Number.isFinite(score) ? score : undefined;
  } catch {
    return undefined; // the library throws for what is no vector, and that is the answer
  }
}
