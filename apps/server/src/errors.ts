import { CodedError } from "@bulwark/model";

/** A request that is refused. Each code has its own HTTP status, see problem.ts. */
export type ServerErrorCode =
  | "INVALID_REQUEST"
  | "UNAUTHENTICATED"
  | "TOTP_REQUIRED"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "CONFLICT"
  | "TOO_MANY_REQUESTS"
  | "ADDRESS_REFUSED"
  | "UPSTREAM_FAILED"
  | "NOT_READY";

export class ServerError extends CodedError<ServerErrorCode> {}

/** @example throw notFound("image", digest); */
export function notFound(noun: string, id: string | number): ServerError {
  return new ServerError(
    "NOT_FOUND",
    `there is no ${noun} ${id}`,
    "check its name or id; what other tenants own is not shown",
  );
}
