import type { ExploitPrediction, KnownExploited, Severity } from "@bulwark/model";

const BY_SEVERITY: Readonly<Record<Severity, number>> = {
  critical: 55,
  high: 40,
  medium: 22,
  low: 8,
  negligible: 2,
  unknown: 15,
};
const EXPLOITED = 30;
const RANSOMWARE = 5;
const PUBLIC_EXPLOIT = 8;
const FIXABLE = 5;
const EPSS_WEIGHT = 15;
/** Below this probability EPSS is not worth a word. */
const EPSS_MENTIONED = 0.1;

export interface PriorityFacts {
  readonly severity: Severity;
  readonly malicious: boolean;
  readonly kev?: KnownExploited;
  readonly epss?: ExploitPrediction;
  readonly publicExploit: boolean;
  readonly hasFix: boolean;
}

/**
 * How urgent a flaw is, 0 to 100: its severity, raised by what is known of its exploitation and by the fact that something
 * can be done. A malicious package is always 100. The sum is plain on purpose, so that every point can be explained.
 */
export function priorityOf(facts: PriorityFacts): { readonly score: number; readonly reasons: readonly string[] } {
  if (facts.malicious) return { score: 100, reasons: ["malicious package"] };
  const { severity, kev, epss, publicExploit, hasFix } = facts;
  const reasons: string[] = [`${severity} severity`];
  let score = BY_SEVERITY[severity];
  if (kev !== undefined) {
    score += EXPLOITED + (kev.ransomware ? RANSOMWARE : 0);
    reasons.push(kev.ransomware ? "exploited in ransomware campaigns" : "exploited in the wild");
  }
  if (epss !== undefined) {
    // The square root spreads the many small probabilities that matter in comparison with each other.
    score += EPSS_WEIGHT * Math.sqrt(epss.score);
    if (epss.score >= EPSS_MENTIONED) reasons.push(`EPSS ${(epss.score * 100).toFixed(0)} %`);
  }
  if (publicExploit) {
    score += PUBLIC_EXPLOIT;
    reasons.push("public exploit");
  }
  if (hasFix) {
    score += FIXABLE;
    reasons.push("a fix exists");
  }
  return { score: Math.min(100, Math.round(score)), reasons };
}
