import { cyclonedx } from "./cyclonedx.ts";
import type { ReportFormat } from "./format.ts";
import { html } from "./html.ts";
import { json } from "./json.ts";
import { sarif } from "./sarif.ts";
import { spdx } from "./spdx.ts";
import { table } from "./table.ts";

/** Every report format, in the order help lists them. */
export const formats: readonly ReportFormat[] = [table, json, sarif, cyclonedx, spdx, html];
