// What `bulwark db` needs and a scan does not: kept apart so that a scan does not load it.
export type { Fetch } from "./feeds/download.ts";
export { type ImportOptions, type ImportSummary, importAdvisories } from "./import.ts";
export { packDatabase, unpackDatabase } from "./pack.ts";
export {
  DEFAULT_ECOSYSTEMS,
  DEFAULT_EPSS_URL,
  DEFAULT_KEV_URL,
  DEFAULT_OSV_URL,
  type UpdateOptions,
  type UpdateSummary,
  updateAdvisories,
} from "./update.ts";
