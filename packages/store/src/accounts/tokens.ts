import { announce } from "../jobs/events.ts";
import type { TenantQueries } from "../open-store.ts";
import type { Row } from "../schema.ts";
import { claimKey } from "./accounts.ts";

/** A token for programs, without its secret. */
export interface ApiToken {
  readonly id: number;
  readonly accountId: number;
  /** Login of the account. */
  readonly account: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly usedAt: Date | null;
}

export interface NewApiToken {
  readonly tenantId: number;
  readonly accountId: number;
  readonly name: string;
  /** SHA-256 of the secret, hexadecimal. */
  readonly hash: string;
  readonly scopes: readonly string[];
  readonly now: Date;
  readonly expiresAt: Date;
}

/** Adds a token; undefined when the account has one of that name. */
export async function addToken(db: TenantQueries, token: NewApiToken): Promise<number | undefined> {
  const row = await db
    .insertInto("api_token")
    .values({
      tenant_id: token.tenantId,
      account_id: token.accountId,
      name: token.name,
      hash: token.hash,
      scopes: token.scopes,
      created_at: token.now,
      expires_at: token.expiresAt,
      used_at: null,
    })
    .onConflict((conflict) => conflict.columns(["account_id", "name"]).doNothing())
    .returning("id")
    .executeTakeFirst();
  if (row === undefined) return undefined;
  await claimKey(db, "token", token.hash, token.tenantId);
  return row.id;
}

export async function findToken(
  db: TenantQueries,
  by: { readonly hash: string } | { readonly id: number },
): Promise<ApiToken | undefined> {
  const query = tokens(db);
  const found = "hash" in by ? query.where("api_token.hash", "=", by.hash) : query.where("api_token.id", "=", by.id);
  const row = await found.executeTakeFirst();
  return row && tokenOf(row);
}

/** Tokens by id, after `after`; of one account or of all. */
export async function listTokens(
  db: TenantQueries,
  page: { readonly limit: number; readonly after?: number | undefined; readonly accountId?: number | undefined },
): Promise<readonly ApiToken[]> {
  let query = tokens(db).orderBy("api_token.id").limit(page.limit);
  if (page.after !== undefined) query = query.where("api_token.id", ">", page.after);
  if (page.accountId !== undefined) query = query.where("api_token.account_id", "=", page.accountId);
  return (await query.execute()).map(tokenOf);
}

export async function touchToken(db: TenantQueries, id: number, now: Date): Promise<void> {
  await db.updateTable("api_token").set({ used_at: now }).where("id", "=", id).execute();
}

export async function removeToken(db: TenantQueries, id: number): Promise<void> {
  const ended = await db.deleteFrom("api_token").where("id", "=", id).returning("account_id").executeTakeFirst();
  if (ended !== undefined) await announce(db, { topic: "access", id: ended.account_id });
}

function tokens(db: TenantQueries) {
  return db
    .selectFrom("api_token")
    .innerJoin("account", "account.id", "api_token.account_id")
    .selectAll("api_token")
    .select("account.login");
}

function tokenOf(row: Row<"api_token"> & { readonly login: string }): ApiToken {
  return {
    id: row.id,
    accountId: row.account_id,
    account: row.login,
    name: row.name,
    scopes: row.scopes,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    usedAt: row.used_at,
  };
}
