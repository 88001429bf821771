import { CodedError } from "@bulwark/model";

/**
 * `POSTGRES_*`: the embedded server could not be made or started. `DATA_IN_USE`: another process holds the data directory.
 * `SCHEMA_NEWER`: the database was written by a later release.
 */
export type StoreErrorCode =
  | "POSTGRES_MISSING"
  | "POSTGRES_FAILED"
  | "DATA_IN_USE"
  | "SCHEMA_NEWER"
  | "STORE_IN_USE"
  | "BACKUP_INVALID"
  | "STORE_UNREACHABLE";

export class StoreError extends CodedError<StoreErrorCode> {}
