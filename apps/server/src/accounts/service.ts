import {
  type Account,
  addAccount,
  changeAccount,
  countAdmins,
  endSessions,
  findAccount,
  removeAccount,
  removeTotp,
  type TenantQueries,
} from "@bulwark/store";
import type { FastifyRequest } from "fastify";
import type { Static } from "typebox";
import { principalOf } from "../access.ts";
import type { AppDeps } from "../app.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { hashPassword } from "../security/passwords.ts";
import { checkPassword, randomPassword } from "./new-password.ts";
import type { AccountChange, NewAccount } from "./schemas.ts";

/**
 * Makes an account.
 *
 * @returns the account, and its password where a random one was made
 * @throws ServerError `CONFLICT`, `INVALID_REQUEST`
 */
export async function makeAccount(
  deps: AppDeps,
  request: FastifyRequest,
  given: Static<typeof NewAccount>,
): Promise<{ readonly account: Account; readonly password?: string }> {
  const { tenantId } = principalOf(request);
  if (given.password !== undefined) checkPassword(given.password, [given.login, given.name]);
  const password = given.password ?? randomPassword();
  const passwordHash = await hashPassword(password);
  const login = given.login.toLowerCase();
  const account = await deps.store.tenant(tenantId, async (db) => {
    const added = await addAccount(db, { tenantId, login, name: given.name, role: given.role, passwordHash });
    if (added === undefined) throw new ServerError("CONFLICT", `the login ${login} is taken`, "choose another one");
    await audit(db, request, "account.create", `account/${added.id}`, { login, name: given.name, role: given.role });
    return added;
  });
  return given.password === undefined ? { account, password } : { account };
}

/**
 * Changes an account. Whoever loses rights, or whose password somebody else set, is logged out.
 *
 * @throws ServerError `NOT_FOUND`, `CONFLICT`, `INVALID_REQUEST`
 */
export async function updateAccount(
  deps: AppDeps,
  request: FastifyRequest,
  id: number,
  given: Static<typeof AccountChange>,
): Promise<Account> {
  const { tenantId, accountId } = principalOf(request);
  const { name, role, enabled, password, totp } = given;
  if (password !== undefined && id === accountId) {
    throw new ServerError("CONFLICT", "this is your own account", "change its password with the old one");
  }
  if (password !== undefined) await checkNewPassword(deps, tenantId, id, password);
  const passwordHash = password === undefined ? undefined : await hashPassword(password);
  return deps.store.tenant(tenantId, async (db) => {
    await countAdmins(db);
    const changed = await changeAccount(db, id, {
      ...(name === undefined ? {} : { name }),
      ...(role === undefined ? {} : { role }),
      ...(enabled === undefined ? {} : { enabled }),
      ...(passwordHash === undefined ? {} : { passwordHash }),
    });
    if (changed === undefined) throw notFound("account", id);
    await demandAdmin(db);
    if (totp === false) await removeTotp(db, id);
    const isNarrowed = role !== undefined || enabled === false || password !== undefined;
    if (isNarrowed) await endSessions(db, id, id === accountId ? principalOf(request).session?.id : undefined);
    const told = { name, role, enabled, totp, password: password === undefined ? undefined : "changed" };
    await audit(db, request, "account.change", `account/${id}`, told);
    return { ...changed, totp: totp === false ? false : changed.totp };
  });
}

/** @throws ServerError `NOT_FOUND`, `CONFLICT` */
export async function deleteAccount(deps: AppDeps, request: FastifyRequest, id: number): Promise<void> {
  const { tenantId, accountId } = principalOf(request);
  if (id === accountId) throw new ServerError("CONFLICT", "this is your own account", "ask another administrator");
  await deps.store.tenant(tenantId, async (db) => {
    await countAdmins(db);
    const account = await findAccount(db, id);
    if (account === undefined || !(await removeAccount(db, id))) throw notFound("account", id);
    await demandAdmin(db);
    await audit(db, request, "account.delete", `account/${id}`, { login: account.login });
  });
}

async function checkNewPassword(deps: AppDeps, tenantId: number, id: number, password: string): Promise<void> {
  const account = await deps.store.tenant(tenantId, (db) => findAccount(db, id));
  if (account === undefined) throw notFound("account", id);
  if (account.identity !== null) {
    throw new ServerError(
      "CONFLICT",
      `${account.login} logs in through an identity provider`,
      "set the password there",
    );
  }
  checkPassword(password, [account.login, account.name]);
}

/** Undoes the change that would leave nobody to undo it. */
async function demandAdmin(db: TenantQueries): Promise<void> {
  if ((await countAdmins(db)) > 0) return;
  throw new ServerError("CONFLICT", "nobody would be left to administer", "make another administrator first");
}
