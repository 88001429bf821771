import { CodedError } from "@bulwark/model";

/**
 * `CHAINS_CYCLIC`: a chain of layers lies beneath itself. `CHAIN_TOO_DEEP`: more layers than any image that runs.
 * `ROWS_INVALID`: columns of different lengths, or a row that is none. `PLAN_INVALID`: a plan is asked for with a weight,
 * stage, cost or goal that makes no sense. `PLAN_TOO_LARGE`: it would not fit into memory.
 */
export type LineageErrorCode = "CHAINS_CYCLIC" | "CHAIN_TOO_DEEP" | "ROWS_INVALID" | "PLAN_INVALID" | "PLAN_TOO_LARGE";

export class LineageError extends CodedError<LineageErrorCode> {}
