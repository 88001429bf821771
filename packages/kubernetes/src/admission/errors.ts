import { CodedError } from "@bulwark/model";

/** `REVIEW_INVALID`: no AdmissionReview that can be judged. `ADMISSION_POLICY_INVALID`: no policy. `NOT_EXPORTABLE`: Kubernetes cannot judge it alone. */
export type AdmissionErrorCode = "REVIEW_INVALID" | "ADMISSION_POLICY_INVALID" | "NOT_EXPORTABLE";

export class AdmissionError extends CodedError<AdmissionErrorCode> {}
