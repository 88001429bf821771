import type { FastifyRequest } from "fastify";
import { ServerError } from "./errors.ts";

/** What a request may do: `noun:read` looks, `noun:write` changes. */
export const SCOPES = [
  "images:read",
  "images:write",
  "registries:read",
  "registries:write",
  "jobs:read",
  "jobs:write",
  "findings:read",
  "findings:write",
  "findings:approve",
  "notifications:read",
  "notifications:write",
  "runtime:read",
  "runtime:write",
  "alerts:read",
  "alerts:write",
  "responses:read",
  "responses:write",
  "responses:approve",
  "admin:read",
  "admin:write",
  "audit:read",
] as const;
export type Scope = (typeof SCOPES)[number];

export const ROLES = ["admin", "security", "operator", "developer", "auditor"] as const;
export type Role = (typeof ROLES)[number];

const READING = SCOPES.filter((scope) => scope.endsWith(":read"));
const without = (scopes: readonly Scope[], ...out: readonly Scope[]) => scopes.filter((scope) => !out.includes(scope));

/** What each role may do. A developer is held to the repositories of the owners that the account belongs to. */
export const ROLE_SCOPES: Readonly<Record<Role, readonly Scope[]>> = {
  admin: SCOPES,
  security: without(SCOPES, "admin:write"),
  operator: [
    ...without(READING, "audit:read", "admin:read"),
    "images:write",
    "registries:write",
    "jobs:write",
    "findings:write",
    "alerts:write",
    "responses:write",
  ],
  developer: ["images:read", "jobs:read", "findings:read", "findings:write", "alerts:read", "alerts:write"],
  auditor: READING,
};

/** Who asks. */
export interface Principal {
  readonly tenantId: number;
  readonly accountId: number;
  /** For the audit log: the login, or login and token. */
  readonly name: string;
  readonly role: Role;
  readonly scopes: ReadonlySet<Scope>;
  /** Owners that the account is limited to; undefined: the whole tenant. */
  readonly owners: readonly number[] | undefined;
  /** The session of a person; undefined for a program with a token. */
  readonly session?: { readonly id: string; readonly csrf: string };
}

declare module "fastify" {
  interface FastifyRequest {
    principal: Principal | undefined;
  }
  interface FastifyContextConfig {
    /** What a route asks for; `public` for those that anybody may call, `session` for any who is logged in. */
    readonly scope?: Scope | "public" | "session";
    /** Why a route that is not GET writes no audit entry, as a sentence; without it one must be written. */
    readonly unaudited?: string;
  }
}

/** Who asks, on routes that are not public. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal !== undefined) return request.principal;
  if (request.headers.authorization === undefined)
    throw new ServerError("UNAUTHENTICATED", "nobody is logged in", "log in first");
  const next = "make another one in the console under API tokens, and log in with it";
  throw new ServerError("UNAUTHENTICATED", "the API token is not known here, or has ended", next);
}

/**
 * The session of the person who asks. Programs with a token get no further where accounts, passwords and tokens are at stake:
 * a stolen token must not make itself a longer life.
 *
 * @throws ServerError `UNAUTHENTICATED`, `FORBIDDEN`
 */
export function sessionOf(request: FastifyRequest): Principal & { readonly session: { readonly id: string } } {
  const principal = principalOf(request);
  const { session } = principal;
  if (session !== undefined) return { ...principal, session };
  throw new ServerError("FORBIDDEN", "a token may not do this", "log in with the account's password");
}

/** Whether the role is one of ours. */
export function isRole(text: string): text is Role {
  return ROLES.some((role) => role === text);
}

/**
 * Refuses who may not call the route.
 *
 * @throws ServerError `UNAUTHENTICATED`, `FORBIDDEN`
 */
export function checkAccess(request: FastifyRequest): void {
  const { scope } = request.routeOptions.config;
  if (scope === "public" || request.is404) return;
  const principal = principalOf(request);
  // A route that declares nothing is nobody's: forgetting it must not open it.
  if (scope === undefined) throw new ServerError("FORBIDDEN", "the route declares no scope");
  if (scope === "session" || principal.scopes.has(scope)) return;
  throw new ServerError(
    "FORBIDDEN",
    `this needs the scope ${scope}, which ${principal.name} has not`,
    "ask an administrator for a role or token that has it",
  );
}
