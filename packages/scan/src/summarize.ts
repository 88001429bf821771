import type { Finding, Severity, SeverityCounts, Summary } from "@bulwark/model";
import { SEVERITIES } from "@bulwark/model";

/** Counts findings by severity, all together and by origin. */
export function summarize(findings: readonly Finding[]): Summary {
  const own = findings.filter(({ origin }) => origin === "own");
  const base = findings.filter(({ origin }) => origin === "base");
  return { ...count(findings), byOrigin: { base: count(base), own: count(own) } };
}

function count(findings: readonly Finding[]): SeverityCounts {
  const counts = Object.fromEntries(SEVERITIES.map((severity) => [severity, 0])) as Record<Severity, number>;
  for (const { severity } of findings) counts[severity]++;
  return counts;
}
