import { CodedError } from "@bulwark/model";

/** `CACHE_DAMAGED`: the layer cache is no database of ours. `*_INVALID`: the file is none of its kind that can be read. */
export type ScanErrorCode =
  | "CACHE_DAMAGED"
  | "SBOM_INVALID"
  | "DENY_LIST_INVALID"
  | "SARIF_INVALID"
  | "INSTALL_RULES_INVALID"
  | "FILE_UNREADABLE";

export class ScanError extends CodedError<ScanErrorCode> {}
