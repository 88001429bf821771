import { type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { GatewayError, type GatewayErrorCode } from "./errors.ts";

const STATUS: Readonly<Record<GatewayErrorCode, status>> = {
  BAD_REQUEST: status.INVALID_ARGUMENT,
  TOKEN_REFUSED: status.UNAUTHENTICATED,
  NODE_UNKNOWN: status.UNAUTHENTICATED,
  CLUSTER_UNKNOWN: status.UNAUTHENTICATED,
  CLUSTER_MISMATCH: status.PERMISSION_DENIED,
  PROTOCOL: status.INVALID_ARGUMENT,
};

/** What a client is told of an error: the reason where it was refused, nothing of our own troubles. */
export function serviceError(error: unknown): { readonly code: status; readonly details: string } {
  if (!(error instanceof GatewayError)) return { code: status.UNAVAILABLE, details: "try again later" };
  return { code: STATUS[error.code], details: error.next === "" ? error.message : `${error.message}: ${error.next}` };
}

/** A call with one answer, as gRPC wants it. */
export function unary<Request, Response>(work: (call: ServerUnaryCall<Request, Response>) => Promise<Response>) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => {
    work(call).then(
      (response) => callback(null, response),
      (error) => callback(serviceError(error)),
    );
  };
}
