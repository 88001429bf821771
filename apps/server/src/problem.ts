import { CodedError } from "@bulwark/model";
import { isDiskFull } from "@bulwark/store";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { ServerErrorCode } from "./errors.ts";
import { describeInvalid } from "./invalid-request.ts";

const STATUS: Readonly<Record<ServerErrorCode, number>> = {
  INVALID_REQUEST: 400,
  UNAUTHENTICATED: 401,
  TOTP_REQUIRED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  TOO_MANY_REQUESTS: 429,
  ADDRESS_REFUSED: 422,
  UPSTREAM_FAILED: 502,
  NOT_READY: 503,
};

/** An error as RFC 9457 describes it. `code` is stable, `next` says what to do. */
export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String(),
    next: Type.Optional(Type.String()),
    instance: Type.Optional(Type.String({ description: "id of the request, as in the server's log" })),
  },
  { $id: "Problem", description: "What went wrong (RFC 9457)" },
);

/** PostgreSQL, "Error Codes": two requests took one name at the same moment, where each had found it free. */
const UNIQUE_VIOLATION = "23505";

/** Answers with an error; what is nobody's fault but ours is logged and not told. */
export function sendProblem(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, code, title, next } = describe(error);
  if (status >= 500) request.log.error({ err: error }, title);
  return reply
    .status(status)
    .type("application/problem+json")
    .send({ type: "about:blank", title, status, code, ...(next === "" ? {} : { next }), instance: request.id });
}

interface Described {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly next: string;
}

function describe(error: FastifyError | Error): Described {
  if (error instanceof CodedError && Object.hasOwn(STATUS, error.code)) {
    const status = STATUS[error.code as ServerErrorCode];
    return { status, code: error.code, title: error.message, next: error.next };
  }
  if ("code" in error && error.code === UNIQUE_VIOLATION) {
    return { status: 409, code: "CONFLICT", title: "something of that name is there", next: "choose another name" };
  }
  if (isDiskFull(error)) {
    const next = "free space on the disk of the database; nothing was written";
    return { status: 507, code: "DISK_FULL", title: "the disk of the database is full", next };
  }
  if ("validation" in error && error.validation !== undefined)
    return {
      status: 400,
      code: "INVALID_REQUEST",
      ...describeInvalid(error.validation, error.validationContext ?? ""),
    };
  const status = "statusCode" in error ? (error.statusCode ?? 500) : 500;
  if (status < 500) return { status, code: "INVALID_REQUEST", title: error.message, next: "" };
  const next = "look for the instance's id in the server's log";
  return { status: 500, code: "INTERNAL", title: "the server could not answer", next };
}
