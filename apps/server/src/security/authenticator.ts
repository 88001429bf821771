import {
  type Account,
  endSession,
  findAccount,
  findSession,
  findToken,
  ownersOf,
  type Store,
  type TenantQueries,
  tenantOf,
  touchSession,
  touchToken,
} from "@bulwark/store";
import type { FastifyRequest } from "fastify";
import { isRole, type Principal, ROLE_SCOPES, type Scope } from "../access.ts";
import type { AppDeps } from "../app.ts";
import { ServerError } from "../errors.ts";
import { readCookie, SESSION_COOKIE } from "../session/cookie.ts";
import { SESSION_IDLE_MS } from "../session/session-life.ts";
import { csrfOf, equalTexts, sha256 } from "./random-secret.ts";

export const TOKEN_PREFIX = "bwk_";
const TOKEN = /^Bearer (bwk_[A-Za-z0-9_-]{43})$/i;
const SESSION = /^[A-Za-z0-9_-]{43}$/;
const CSRF_HEADER = "x-csrf-token";
const READING = new Set(["GET", "HEAD", "OPTIONS"]);
/** How old the note of the last use may be: not every request is worth a write. */
const NOTE_MS = 60_000;

/**
 * Tells who sends a request: by an API token in `Authorization: Bearer`, else by the session's cookie. A request that
 * changes something by way of the cookie must bring the session's CSRF token along.
 *
 * @example createApp({ …, authenticate: createAuthenticator({ store, clock }) })
 */
export function createAuthenticator(deps: {
  readonly store: Store;
  readonly clock: () => Date;
}): AppDeps["authenticate"] {
  const { store, clock } = deps;
  return async (request, { passive } = { passive: false }) => {
    const { authorization } = request.headers;
    // A header that is none of ours does not fall back to the cookie: it was meant to say who asks.
    if (authorization !== undefined) {
      const [, secret] = TOKEN.exec(authorization) ?? [];
      return secret === undefined ? undefined : byToken(store, secret, clock(), passive);
    }
    const cookie = readCookie(request, SESSION_COOKIE);
    if (cookie === undefined || !SESSION.test(cookie)) return undefined;
    const principal = await bySession(store, cookie, clock(), passive);
    if (principal !== undefined && !READING.has(request.method)) checkCsrf(request, principal);
    return principal;
  };
}

async function byToken(store: Store, secret: string, now: Date, passive: boolean): Promise<Principal | undefined> {
  const hash = sha256(secret);
  const tenantId = await tenantOf(store.system, "token", hash);
  if (tenantId === undefined) return undefined;
  return store.tenant(tenantId, async (db) => {
    const token = await findToken(db, { hash });
    if (token === undefined || token.expiresAt <= now) return undefined;
    const account = await findAccount(db, token.accountId);
    const principal = account && (await principalOf(db, account));
    if (principal === undefined) return undefined;
    if (!passive && isStale(token.usedAt, now)) await touchToken(db, token.id, now);
    // The role may have become smaller since the token was made.
    const scopes = new Set([...principal.scopes].filter((scope) => token.scopes.includes(scope)));
    return { ...principal, name: `${principal.name} (token ${token.name})`, scopes };
  });
}

async function bySession(store: Store, secret: string, now: Date, passive: boolean): Promise<Principal | undefined> {
  const id = sha256(secret);
  const tenantId = await tenantOf(store.system, "session", id);
  if (tenantId === undefined) return undefined;
  return store.tenant(tenantId, async (db) => {
    const session = await findSession(db, id);
    if (session === undefined) return undefined;
    if (session.expiresAt <= now || now.getTime() - session.seenAt.getTime() >= SESSION_IDLE_MS) {
      await endSession(db, id);
      return undefined;
    }
    const account = await findAccount(db, session.accountId);
    const principal = account && (await principalOf(db, account));
    if (principal === undefined) return undefined;
    if (!passive && isStale(session.seenAt, now)) await touchSession(db, id, now);
    return { ...principal, session: { id, csrf: csrfOf(secret) } };
  });
}

async function principalOf(db: TenantQueries, account: Account): Promise<Principal | undefined> {
  const { role } = account;
  if (!account.enabled || !isRole(role)) return undefined;
  return {
    tenantId: account.tenantId,
    accountId: account.id,
    name: account.login,
    role,
    scopes: new Set<Scope>(ROLE_SCOPES[role]),
    owners: role === "developer" ? await ownersOf(db, account.id) : undefined,
  };
}

function isStale(noted: Date | null, now: Date): boolean {
  return noted === null || now.getTime() - noted.getTime() >= NOTE_MS;
}

function checkCsrf(request: FastifyRequest, principal: Principal): void {
  const given = request.headers[CSRF_HEADER];
  if (typeof given === "string" && equalTexts(given, principal.session?.csrf ?? "")) return;
  const next = `send the csrf value of GET /api/v1/session as ${CSRF_HEADER}`;
  throw new ServerError("FORBIDDEN", "the request does not come from the console: its CSRF token is wrong", next);
}
