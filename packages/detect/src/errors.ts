import { CodedError } from "@bulwark/model";

/**
 * `FILTER_INVALID`: a condition given on its own (an allow-list entry, say) does not parse or names no field.
 * `INDICATORS_INVALID`: a list of indicators cannot be read. `DETECTOR_UNKNOWN`: a rule names no detector of ours.
 */
export type DetectErrorCode = "FILTER_INVALID" | "INDICATORS_INVALID" | "DETECTOR_UNKNOWN";

export class DetectError extends CodedError<DetectErrorCode> {}
