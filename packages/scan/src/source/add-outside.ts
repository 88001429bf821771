import type { ScanResult } from "../scan-image.ts";
import { summarize } from "../summarize.ts";
import type { OutsideResults } from "./read-sarif.ts";

/**
 * Puts what outside analysers found beside our own findings, into the uppermost layer: that is the team's own whatever lies
 * below. What could not be taken in makes the report incomplete.
 */
export function addOutside(result: ScanResult, outside: readonly OutsideResults[]): ScanResult {
  if (outside.length === 0) return result;
  const { report } = result;
  const layer = Math.max(0, report.image.layers.length - 1);
  const findings = [
    ...report.findings,
    ...outside.flatMap((each) => each.findings.map((finding) => ({ ...finding, layer }))),
  ];
  const told = outside.flatMap((each) => each.problems).map((what) => ({ path: "", layer: -1, what }));
  return {
    ...result,
    report: {
      ...report,
      findings,
      suppressed: [
        ...report.suppressed,
        ...outside.flatMap((each) => each.suppressed.map((one) => ({ ...one, finding: { ...one.finding, layer } }))),
      ],
      summary: summarize(findings),
      complete: report.complete && told.length === 0,
      problems: [...report.problems, ...told],
    },
  };
}
