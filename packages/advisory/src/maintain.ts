// What `bulwark db` needs and a scan does not: kept apart so that a scan does not load it.
export { type ImportOptions, type ImportSummary, importAdvisories } from "./import.ts";
