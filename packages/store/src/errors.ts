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

/** PostgreSQL, "Error Codes": `disk_full`. */
const DISK_FULL = "53100";

/** Whether something failed because a disk is full: the database's, or this machine's. */
export function isDiskFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if (code === DISK_FULL || code === "ENOSPC") return true;
  }
  return false;
}
