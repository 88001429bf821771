import type { Severity } from "@bulwark/model";

/** Falco's priorities, most urgent first: the severities of syslog (RFC 5424, section 6.2.1). */
export const PRIORITIES = [
  "emergency",
  "alert",
  "critical",
  "error",
  "warning",
  "notice",
  "informational",
  "debug",
] as const;

export type Priority = (typeof PRIORITIES)[number];

const SEVERITY: Readonly<Record<Priority, Severity>> = {
  emergency: "critical",
  alert: "critical",
  critical: "critical",
  error: "high",
  warning: "medium",
  notice: "low",
  informational: "negligible",
  debug: "negligible",
};

/**
 * Reads a priority as rule files write it: in any case, with `info` for `informational`.
 *
 * @returns undefined when the word is none
 * @example readPriority("WARNING"); // "warning"
 */
export function readPriority(word: string): Priority | undefined {
  const lower = word.trim().toLowerCase();
  if (lower === "info") return "informational";
  return PRIORITIES.find((priority) => priority === lower);
}

/** The product's severity of a rule's priority. */
export function severityOf(priority: Priority): Severity {
  return SEVERITY[priority];
}
