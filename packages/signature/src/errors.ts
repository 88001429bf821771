import { CodedError } from "@bulwark/model";

export type SignatureErrorCode =
  | "SIGNATURE_POLICY_INVALID"
  | "KEY_INVALID"
  | "TRUST_ROOT_INVALID"
  | "SIGNATURES_DAMAGED";

/** What stops verification or signing before a signature is looked at. */
export class SignatureError extends CodedError<SignatureErrorCode> {}
