import { CodedError } from "@bulwark/model";

/** `POLICY_INVALID`: the file is no policy. `POLICY_FAILED`: a rule could not be evaluated. `VEX_INVALID`: no OpenVEX. */
export type PolicyErrorCode = "POLICY_INVALID" | "POLICY_FAILED" | "VEX_INVALID";

export class PolicyError extends CodedError<PolicyErrorCode> {}
