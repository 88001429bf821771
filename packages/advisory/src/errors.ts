import { CodedError } from "@bulwark/model";

/**
 * `DATABASE_*`: the database file is not there, is broken, or was made by another version. `FEED_*`: what was to be
 * imported cannot be reached, cannot be trusted, or is no advisory data.
 */
export type AdvisoryErrorCode =
  | "DATABASE_MISSING"
  | "DATABASE_DAMAGED"
  | "DATABASE_VERSION"
  | "FEED_UNREACHABLE"
  | "FEED_INVALID"
  | "FEED_ROLLBACK"
  | "ARTIFACT_INVALID";

export class AdvisoryError extends CodedError<AdvisoryErrorCode> {}
