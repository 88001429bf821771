import { CodedError } from "@bulwark/model";

/**
 * `KEY_FILE_UNSAFE`: others could read the master keys. `KEY_FILE_BROKEN`: the file is none of ours. `KEY_UNKNOWN`: something
 * was sealed with a key that this server has not. `SECRET_BROKEN`: a sealed secret was changed, or belongs elsewhere.
 * `KMS_FAILED`: the command that unwraps master keys did not. `PASSWORD_REFUSED`: the first password is too short.
 */
export type SecurityErrorCode =
  | "KEY_FILE_UNSAFE"
  | "KEY_FILE_BROKEN"
  | "KEY_UNKNOWN"
  | "SECRET_BROKEN"
  | "KMS_FAILED"
  | "PASSWORD_REFUSED";

export class SecurityError extends CodedError<SecurityErrorCode> {}
