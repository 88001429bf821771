import type { ReportFormat } from "./format.ts";
import { jsonText } from "./visible.ts";

/** The scan report itself: the stable contract of the command line. */
export const json: ReportFormat = {
  id: "json",
  render: ({ report }) => jsonText(report),
};
