import type { Severity } from "@bulwark/model";

const WORDS: Readonly<Record<string, Severity>> = {
  critical: "critical",
  high: "high",
  important: "high",
  medium: "medium",
  moderate: "medium",
  low: "low",
  minor: "low",
  negligible: "negligible",
  unimportant: "negligible",
  none: "negligible",
};

/** Severity of a rating in the words of any distribution or registry; undefined when it says nothing. */
export function severityOfWord(word: string): Severity | undefined {
  const key = word.trim().toLowerCase();
  return Object.hasOwn(WORDS, key) ? WORDS[key] : undefined;
}
