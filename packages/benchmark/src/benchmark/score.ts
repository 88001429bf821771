import type { Severity } from "@bulwark/model";
import type { Outcome } from "./judge.ts";

/** How much a check counts. */
const WEIGHTS: Readonly<Record<Severity, number>> = {
  critical: 10,
  high: 6,
  medium: 3,
  low: 1,
  negligible: 0,
  unknown: 1,
};
const HUNDRED = 100;

/** How a place stands. */
export interface Score {
  /** 0 to 100, weighted by severity; null where nothing was judged. What is undetermined counts as not passed. */
  readonly score: number | null;
  readonly pass: number;
  readonly fail: number;
  readonly manual: number;
  readonly notApplicable: number;
  readonly undetermined: number;
  readonly excepted: number;
}

/**
 * The score of a place. A check that an exception covers counts neither way, and is counted as such.
 *
 * @example scoreOf([{ outcome: "pass", severity: "high", excepted: false }]).score; // 100
 */
export function scoreOf(
  results: readonly { readonly outcome: Outcome; readonly severity: Severity; readonly excepted: boolean }[],
): Score {
  const counted = { pass: 0, fail: 0, manual: 0, notApplicable: 0, undetermined: 0, excepted: 0 };
  let [won, all] = [0, 0];
  for (const { outcome, severity, excepted } of results) {
    if (excepted && (outcome === "fail" || outcome === "undetermined")) {
      counted.excepted++;
      continue;
    }
    counted[outcome === "not-applicable" ? "notApplicable" : outcome]++;
    if (outcome === "pass") won += WEIGHTS[severity];
    if (outcome === "pass" || outcome === "fail" || outcome === "undetermined") all += WEIGHTS[severity];
  }
  return { score: all === 0 ? null : Math.floor((HUNDRED * won) / all), ...counted };
}
