import { CodedError } from "@bulwark/model";

/** What a sensor or an agent is told; each code has its own gRPC status, see status.ts. */
export type GatewayErrorCode =
  | "BAD_REQUEST"
  | "TOKEN_REFUSED"
  | "NODE_UNKNOWN"
  | "CLUSTER_UNKNOWN"
  | "CLUSTER_MISMATCH"
  | "PROTOCOL";

export class GatewayError extends CodedError<GatewayErrorCode> {}
