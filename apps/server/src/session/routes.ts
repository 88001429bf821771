import { changeAccount, endSession, endSessions, findAccount, findTenant, ownersOf } from "@bulwark/store";
import { Type } from "typebox";
import { type Principal, principalOf, sessionOf } from "../access.ts";
import type { AppDeps } from "../app.ts";
import { audit } from "../audit/audit.ts";
import { ServerError } from "../errors.ts";
import type { Routes } from "../routes.ts";
import { passwordProblem } from "../security/password-rules.ts";
import { hashPassword } from "../security/passwords.ts";
import { clearCookie, SESSION_COOKIE } from "./cookie.ts";
import { logIn, proveAgain } from "./login.ts";
import { LoginBody, PasswordBody, RemoveTotpBody, Session, TotpAnswer, TotpBody } from "./schemas.ts";
import { beginSecondFactor, confirmSecondFactor, removeSecondFactor } from "./second-factor.ts";

const tags = ["session"];
const open = { scope: "public" } as const;
const own = { scope: "session" } as const;
const nothing = { 204: Type.Null() };

/** Logging in and out, and what people do with their own account. */
export const sessionRoutes: Routes = async (app, { deps }) => {
  const login = { tags, summary: "Log in", operationId: "logIn", body: LoginBody, response: { 200: Session } };
  app.post("/api/v1/session", { config: open, schema: login }, async (request, reply) => {
    const { principal } = await logIn(deps, request, reply, request.body);
    return sessionFor(deps, principal);
  });

  const show = { tags, summary: "Who is logged in", operationId: "getSession", response: { 200: Session } };
  app.get("/api/v1/session", { config: own, schema: show }, async (request) => sessionFor(deps, principalOf(request)));

  const logout = { tags, summary: "Log out", operationId: "logOut", response: nothing };
  app.delete("/api/v1/session", { config: own, schema: logout }, async (request, reply) => {
    const { tenantId, accountId, session } = sessionOf(request);
    await deps.store.tenant(tenantId, async (db) => {
      await endSession(db, session.id);
      await audit(db, request, "session.end", `account/${accountId}`);
    });
    clearCookie(request, reply, SESSION_COOKIE);
    return reply.code(204).send(null);
  });

  const password = {
    tags,
    summary: "Change the own password; all other sessions end",
    operationId: "changePassword",
    body: PasswordBody,
    response: nothing,
  };
  app.post("/api/v1/session/password", { config: own, schema: password }, async (request, reply) => {
    const principal = sessionOf(request);
    const account = await proveAgain(deps, request, principal, request.body.old);
    const problem = passwordProblem(request.body.new, [account.login, account.name]);
    if (problem !== undefined) throw new ServerError("INVALID_REQUEST", problem, "choose another one");
    const passwordHash = await hashPassword(request.body.new);
    await deps.store.tenant(account.tenantId, async (db) => {
      await changeAccount(db, account.id, { passwordHash });
      await endSessions(db, account.id, principal.session.id);
      await audit(db, request, "account.password", `account/${account.id}`);
    });
    return reply.code(204).send(null);
  });

  const totp = {
    tags,
    summary: "Begin or confirm a second factor",
    operationId: "setTotp",
    body: TotpBody,
    response: { 200: TotpAnswer },
  };
  app.post("/api/v1/session/totp", { config: own, schema: totp }, async (request) => {
    const { body } = request;
    return body.action === "begin"
      ? beginSecondFactor(deps, request, body.password)
      : confirmSecondFactor(deps, request, body.code);
  });

  const off = {
    tags,
    summary: "Remove the second factor",
    operationId: "removeTotp",
    body: RemoveTotpBody,
    response: nothing,
  };
  app.delete("/api/v1/session/totp", { config: own, schema: off }, async (request, reply) => {
    await removeSecondFactor(deps, request, request.body.password);
    return reply.code(204).send(null);
  });
};

async function sessionFor(deps: AppDeps, principal: Principal) {
  const { tenantId, accountId } = principal;
  const tenant = await findTenant(deps.store, tenantId);
  const [account, owners] = await deps.store.tenant(
    tenantId,
    async (db) => [await findAccount(db, accountId), await ownersOf(db, accountId)] as const,
  );
  if (account === undefined || tenant === undefined) throw new ServerError("UNAUTHENTICATED", "the account is gone");
  return {
    account: {
      id: account.id,
      login: account.login,
      name: account.name,
      role: account.role,
      scopes: [...principal.scopes],
      tenant: { id: tenant.id, name: tenant.name },
      totp: account.totp,
      owners: [...owners],
    },
    csrf: principal.session?.csrf ?? "",
  };
}
