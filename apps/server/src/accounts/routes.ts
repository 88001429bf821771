import { type Account as AccountRow, findAccount, listAccounts, ownersOf, type TenantQueries } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound } from "../errors.ts";
import { DEFAULT_PAGE, decodeCursor, PageOf, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { unlockLogin } from "../session/attempts.ts";
import { Account, AccountChange, AccountQuery, Id, MadeAccount, NewAccount } from "./schemas.ts";
import { deleteAccount, makeAccount, updateAccount } from "./service.ts";

const tags = ["accounts"];
const read = { scope: "admin:read" } as const;
const write = { scope: "admin:write" } as const;

/** The people of a tenant. */
export const accountRoutes: Routes = async (app, { deps }) => {
  const list = {
    tags,
    summary: "Accounts by login",
    operationId: "listAccounts",
    querystring: AccountQuery,
    response: { 200: PageOf(Account) },
  };
  app.get("/api/v1/accounts", { config: read, schema: list }, async (request) => {
    const { limit = DEFAULT_PAGE, cursor, search } = request.query;
    const after = decodeCursor(cursor, ["string"])?.[0] as string | undefined;
    return deps.store.tenant(principalOf(request).tenantId, async (db) => {
      const rows = await listAccounts(db, { limit: limit + 1, after, search });
      const page = pageOf(
        rows,
        limit,
        (row) => [row.login],
        (row) => row,
      );
      const items = [];
      for (const row of page.items) items.push(await accountOf(db, row));
      return { ...page, items };
    });
  });

  const make = {
    tags,
    summary: "Make an account",
    operationId: "createAccount",
    body: NewAccount,
    response: { 201: MadeAccount },
  };
  app.post("/api/v1/accounts", { config: write, schema: make }, async (request, reply) => {
    const { account, password } = await makeAccount(deps, request, request.body);
    const shown = await deps.store.tenant(account.tenantId, (db) => accountOf(db, account));
    return reply.code(201).send({ ...shown, ...(password === undefined ? {} : { password }) });
  });

  const change = {
    tags,
    summary: "Change an account",
    operationId: "updateAccount",
    params: Id,
    body: AccountChange,
    response: { 200: Account },
  };
  app.patch("/api/v1/accounts/:id", { config: write, schema: change }, async (request) => {
    const account = await updateAccount(deps, request, request.params.id, request.body);
    return deps.store.tenant(account.tenantId, (db) => accountOf(db, account));
  });

  const remove = {
    tags,
    summary: "Delete an account, its sessions and its tokens",
    operationId: "deleteAccount",
    params: Id,
    response: { 204: Type.Null() },
  };
  app.delete("/api/v1/accounts/:id", { config: write, schema: remove }, async (request, reply) => {
    await deleteAccount(deps, request, request.params.id);
    return reply.code(204).send(null);
  });

  const unlock = {
    tags,
    summary: "End the lock-out that failed logins brought",
    operationId: "unlockAccount",
    params: Id,
    response: { 204: Type.Null() },
  };
  app.post("/api/v1/accounts/:id/unlock", { config: write, schema: unlock }, async (request, reply) => {
    const { id } = request.params;
    await deps.store.tenant(principalOf(request).tenantId, async (db) => {
      const account = await findAccount(db, id);
      if (account === undefined) throw notFound("account", id);
      await unlockLogin(deps.store, account.login);
      await audit(db, request, "account.unlock", `account/${id}`);
    });
    return reply.code(204).send(null);
  });
};

async function accountOf(db: TenantQueries, account: AccountRow) {
  return {
    id: account.id,
    login: account.login,
    name: account.name,
    role: account.role,
    enabled: account.enabled,
    totp: account.totp,
    sso: account.identity !== null,
    owners: [...(await ownersOf(db, account.id))],
    createdAt: account.createdAt.toISOString(),
    ...(account.seenAt === null ? {} : { seenAt: account.seenAt.toISOString() }),
  };
}
