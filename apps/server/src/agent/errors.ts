import { CodedError } from "@bulwark/model";

export type AgentErrorCode =
  | "KUBECONFIG_INVALID"
  | "NOT_IN_CLUSTER"
  | "NO_ANSWER"
  | "API_REFUSED"
  | "API_UNREACHABLE"
  | "TOO_LARGE"
  | "JOIN_REFUSED"
  | "GATEWAY_UNREACHABLE";

export class AgentError extends CodedError<AgentErrorCode> {}
