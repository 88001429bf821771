import type { ReportFormat } from "./format.ts";

/** The scan report itself: the stable contract of the command line. */
export const json: ReportFormat = {
  id: "json",
  render: ({ report }) => `${JSON.stringify(report, null, 2)}\n`,
};
