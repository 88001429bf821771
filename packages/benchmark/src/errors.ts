import { CodedError } from "@bulwark/model";

/** `CHECK_INVALID`: the file holds no usable checks; the message names file, line and what is wrong. */
export type BenchmarkErrorCode = "CHECK_INVALID";

export class BenchmarkError extends CodedError<BenchmarkErrorCode> {}
