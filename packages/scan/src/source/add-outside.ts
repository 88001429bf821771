import type { ScanResult } from "../scan-image.ts";
import { summarize } from "../summarize.ts";
import type { OutsideResults } from "./read-sarif.ts";

/** Puts what outside analysers found beside our own findings; what could not be taken in makes the report incomplete. */
export function addOutside(result: ScanResult, outside: readonly OutsideResults[]): ScanResult {
  if (outside.length === 0) return result;
  const { report } = result;
  const findings = [...report.findings, ...outside.flatMap((each) => each.findings)];
  const told = outside.flatMap((each) => each.problems).map((what) => ({ path: "", layer: -1, what }));
  return {
    ...result,
    report: {
      ...report,
      findings,
      suppressed: [...report.suppressed, ...outside.flatMap((each) => each.suppressed)],
      summary: summarize(findings),
      complete: report.complete && told.length === 0,
      problems: [...report.problems, ...told],
    },
  };
}
