import type { ScanReport } from "@bulwark/model";
import type { FoundPackage } from "../found-package.ts";

/** What a report format works from. */
export interface RenderInput {
  readonly report: ScanReport;
  readonly packages: readonly FoundPackage[];
  /** Version of Bulwark, for the formats that name their tool. */
  readonly toolVersion: string;
  /** Time of the report, RFC 3339. */
  readonly now: string;
  /** Where the text goes, for formats that people read in a terminal. */
  readonly terminal: { readonly columns: number; readonly colour: boolean };
}

/** A report format: one file, one line in `formats.ts`. */
export interface ReportFormat {
  readonly id: string;
  render(input: RenderInput): string;
}
