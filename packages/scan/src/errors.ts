import { CodedError } from "@bulwark/model";

/** `CACHE_DAMAGED`: the layer cache is no database of ours. `SBOM_INVALID`: the file is no SBOM that can be read. */
export type ScanErrorCode = "CACHE_DAMAGED" | "SBOM_INVALID" | "DENY_LIST_INVALID";

export class ScanError extends CodedError<ScanErrorCode> {}
