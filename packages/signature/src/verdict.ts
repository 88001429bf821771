import type { VerifiedSignature } from "@bulwark/model";

/** Why a signature does not count. */
export type RefusalCode =
  | "NOT_SIGNED"
  | "MALFORMED"
  | "OTHER_IMAGE"
  | "WRONG_KEY"
  | "WRONG_IDENTITY"
  | "WRONG_ISSUER"
  | "CERTIFICATE_EXPIRED"
  | "CERTIFICATE_UNTRUSTED"
  | "LOG_ENTRY_MISSING"
  | "LOG_ENTRY_INVALID"
  | "SIGNATURE_INVALID"
  | "ATTESTATION_OTHER_KIND"
  | "ATTESTATION_REFUSED"
  | "NO_RULE";

export interface Refusal {
  readonly code: RefusalCode;
  /** One sentence: what is wrong with which signature. */
  readonly message: string;
}

/** Whether the signatures of an image satisfy a policy. */
export interface SignatureVerdict {
  readonly verified: readonly VerifiedSignature[];
  /** One entry for each rule that nothing satisfied: the reasons, the most telling one first. */
  readonly refused: readonly { readonly rule: string; readonly refusals: readonly Refusal[] }[];
}
