import {
  type Account,
  type AccountSecrets,
  changeAccount,
  FIRST_TENANT,
  findAccountBy,
  takeRecoveryCode,
  takeTotpStep,
  tenantOf,
} from "@bulwark/store";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Principal } from "../access.ts";
import type { AppDeps } from "../app.ts";
import { auditAs } from "../audit/audit.ts";
import { ServerError } from "../errors.ts";
import { hashPassword, isOutdated, verifyPassword } from "../security/passwords.ts";
import { sha256 } from "../security/random-secret.ts";
import { totpStep } from "../security/totp.ts";
import { type Attempt, beginAttempt } from "./attempts.ts";
import { startSession } from "./start-session.ts";

export interface Login {
  readonly login: string;
  readonly password: string;
  /** Of the authenticator app, or a recovery code. */
  readonly code?: string | undefined;
}

type Known = Account & AccountSecrets;

/** Where the encrypted secret of an account's second factor belongs. */
export const totpPurpose = (accountId: number) => `account/${accountId}/totp`;

/**
 * Logs somebody in by password, and by code where the account has a second factor. Unknown logins, wrong passwords and
 * disabled accounts get one answer, and the same work is done for each.
 *
 * @throws ServerError `UNAUTHENTICATED`, `TOTP_REQUIRED`, `TOO_MANY_REQUESTS`
 */
export async function logIn(
  deps: AppDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  given: Login,
): Promise<{ readonly principal: Principal; readonly account: Account }> {
  const { store } = deps;
  const login = given.login.toLowerCase();
  const attempt = await beginAttempt(store, login, request.ip, deps.clock());
  const tenantId = (await tenantOf(store.system, "login", login)) ?? FIRST_TENANT;
  const account = await store.tenant(tenantId, (db) => findAccountBy(db, "login", login));
  const isRight = await verifyPassword(given.password, account?.passwordHash);
  if (account === undefined || !isRight || !account.enabled) {
    await tellFailure(deps, request, tenantId, account, "password");
    throw new ServerError("UNAUTHENTICATED", "login or password is wrong");
  }
  const how = await secondFactor(deps, request, account, given.code, attempt);
  await attempt.end("passed");
  const isOld = account.passwordHash !== null && isOutdated(account.passwordHash);
  const passwordHash = isOld ? await hashPassword(given.password) : undefined;
  const principal = await startSession(deps, request, reply, account, how, async (db) => {
    if (passwordHash !== undefined) await changeAccount(db, account.id, { passwordHash });
  });
  return { principal, account };
}

/**
 * Checks the password of somebody who is logged in, before something that a session left open must not allow.
 *
 * @throws ServerError `UNAUTHENTICATED`, `TOO_MANY_REQUESTS`
 */
export async function proveAgain(
  deps: AppDeps,
  request: FastifyRequest,
  principal: Principal,
  password: string,
): Promise<Known> {
  const account = await deps.store.tenant(principal.tenantId, (db) => findAccountBy(db, "id", principal.accountId));
  const attempt = await beginAttempt(deps.store, account?.login ?? "", request.ip, deps.clock());
  const isRight = await verifyPassword(password, account?.passwordHash);
  if (account === undefined || !isRight) {
    await tellFailure(deps, request, principal.tenantId, account, "password");
    throw new ServerError("FORBIDDEN", "the password is wrong");
  }
  await attempt.end("passed");
  return account;
}

/** @returns how they proved who they are, for the audit log */
async function secondFactor(
  deps: AppDeps,
  request: FastifyRequest,
  account: Known,
  code: string | undefined,
  attempt: Attempt,
): Promise<string> {
  if (!account.totpConfirmed || account.totpSecret === null) return "password";
  if (code === undefined) {
    await attempt.end("unfinished");
    throw new ServerError("TOTP_REQUIRED", "a code is needed too", "send the code of your authenticator app");
  }
  if (await takeCode(deps, account, code)) return "password and code";
  await tellFailure(deps, request, account.tenantId, account, "code");
  throw new ServerError("UNAUTHENTICATED", "the code is wrong or was used before");
}

/** Takes a code of the authenticator app, or a recovery code: each counts once. */
export async function takeCode(deps: AppDeps, account: Known, code: string): Promise<boolean> {
  const secret = await deps.secrets.open(account.tenantId, totpPurpose(account.id), account.totpSecret!);
  const step = totpStep(secret, code.trim(), deps.clock());
  return deps.store.tenant(account.tenantId, (db) =>
    step === undefined
      ? takeRecoveryCode(db, account.id, sha256(code.trim().toLowerCase()))
      : takeTotpStep(db, account.id, step),
  );
}

/** Failures of unknown logins are told to the first tenant; the login is not, since it may be a password. */
async function tellFailure(
  deps: AppDeps,
  request: FastifyRequest,
  tenantId: number,
  account: Account | undefined,
  what: "password" | "code",
): Promise<void> {
  const actor = { tenantId, name: account?.login ?? "nobody", accountId: account?.id ?? null };
  const subject = account === undefined ? "account/unknown" : `account/${account.id}`;
  await deps.store.tenant(tenantId, (db) => auditAs(db, request, actor, "session.refuse", subject, { wrong: what }));
}
