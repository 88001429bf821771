import type { ScanReport } from "@bulwark/model";
import type { FoundPackage } from "@bulwark/scan";
import { formats } from "@bulwark/scan/formats";
import packageJson from "../../../package.json" with { type: "json" };
import type { FormatName } from "./scan-options.ts";

const DEFAULT_COLUMNS = 100;

/** Renders a report in the format that was asked for; colours only where a terminal shows them (no-color.org). */
export function renderReport(
  result: { readonly report: ScanReport; readonly packages: readonly FoundPackage[] },
  options: { readonly format: FormatName; readonly output?: string },
): string {
  const format = formats.find(({ id }) => id === options.format);
  if (format === undefined) throw new Error(`no format ${options.format}`);
  const toTerminal = options.output === undefined && process.stdout.isTTY;
  return format.render({
    ...result,
    toolVersion: packageJson.version,
    now: new Date().toISOString(),
    terminal: { columns: process.stdout.columns ?? DEFAULT_COLUMNS, colour: toTerminal && !process.env.NO_COLOR },
  });
}
