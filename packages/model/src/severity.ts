/** How bad a flaw is, worst first. The words are those of the scan report's contract. */
export const SEVERITIES = ["critical", "high", "medium", "low", "negligible", "unknown"] as const;

export type Severity = (typeof SEVERITIES)[number];

/** Position in {@link SEVERITIES}: 0 is the worst, so that an ascending sort puts the worst first. */
export function severityRank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}
