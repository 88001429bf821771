import { type Account, addSession, changeAccount, endSession, type Store, type TenantQueries } from "@bulwark/store";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Principal, ROLE_SCOPES, type Role } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { csrfOf, randomSecret, sha256 } from "../security/random-secret.ts";
import { readCookie, SESSION_COOKIE, setCookie } from "./cookie.ts";
import { SESSION_LIFE_MS } from "./session-life.ts";

/** Of one account, at most so many sessions at a time: the oldest give way. */
const MAX_SESSIONS = 20;

/**
 * Makes the session of somebody who has just proved who they are. Its secret is always new, and a session that the browser
 * brought along ends: what somebody planted there before the login is worth nothing (session fixation).
 */
export async function startSession(
  deps: { readonly store: Store },
  request: FastifyRequest,
  reply: FastifyReply,
  account: Account,
  how: string,
  before: (db: TenantQueries) => Promise<void> = async () => {},
): Promise<Principal> {
  const now = request.server.clock();
  const secret = randomSecret();
  const { tenantId } = account;
  const session = { id: sha256(secret), csrf: csrfOf(secret) };
  const brought = readCookie(request, SESSION_COOKIE);
  const principal = await deps.store.tenant(tenantId, async (db) => {
    await before(db);
    if (brought !== undefined) await endSession(db, sha256(brought));
    const expiresAt = new Date(now.getTime() + SESSION_LIFE_MS);
    const entry = { id: session.id, tenantId, accountId: account.id, now, expiresAt, address: request.ip };
    await addSession(db, entry, MAX_SESSIONS);
    await changeAccount(db, account.id, { seenAt: now });
    request.principal = {
      tenantId,
      accountId: account.id,
      name: account.login,
      role: account.role as Role,
      scopes: new Set(ROLE_SCOPES[account.role as Role]),
      owners: undefined,
      session,
    };
    await audit(db, request, "session.create", `account/${account.id}`, { how });
    return request.principal;
  });
  setCookie(request, reply, SESSION_COOKIE, secret, {
    path: "/",
    sameSite: "Strict",
    maxAgeS: SESSION_LIFE_MS / 1000,
  });
  return principal;
}
