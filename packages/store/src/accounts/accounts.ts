import { sql } from "kysely";
import { announce } from "../jobs/events.ts";
import type { SystemQueries, TenantQueries } from "../open-store.ts";
import type { Row } from "../schema.ts";

/** Somebody who may log in. */
export interface Account {
  readonly id: number;
  readonly tenantId: number;
  readonly login: string;
  readonly name: string;
  readonly role: string;
  readonly enabled: boolean;
  /** `<provider>:<subject>` for an account of an identity provider; then it has no password here. */
  readonly identity: string | null;
  readonly totp: boolean;
  readonly createdAt: Date;
  readonly seenAt: Date | null;
}

/** What proves that it is they. */
export interface AccountSecrets {
  readonly passwordHash: string | null;
  /** Encrypted; null where no second factor was begun. */
  readonly totpSecret: Buffer | null;
  readonly totpConfirmed: boolean;
  readonly totpStep: number;
}

export interface NewAccount {
  readonly tenantId: number;
  readonly login: string;
  readonly name: string;
  readonly role: string;
  readonly passwordHash?: string;
  readonly identity?: string;
}

export interface AccountChange {
  readonly name?: string;
  readonly role?: string;
  readonly enabled?: boolean;
  readonly passwordHash?: string;
  readonly seenAt?: Date;
}

/** Tenant of a login, a session, a token, a webhook or an identity provider; undefined when there is none. */
export async function tenantOf(
  db: SystemQueries,
  kind: Row<"directory">["kind"],
  key: string,
): Promise<number | undefined> {
  const found = await db
    .selectFrom("directory")
    .select("tenant_id")
    .where("kind", "=", kind)
    .where("key", "=", key)
    .executeTakeFirst();
  return found?.tenant_id;
}

/** All keys of a kind with their tenants. */
export async function tenantsOf(
  db: SystemQueries,
  kind: Row<"directory">["kind"],
  limit: number,
): Promise<readonly { readonly key: string; readonly tenantId: number }[]> {
  return db
    .selectFrom("directory")
    .select(["key", "tenant_id as tenantId"])
    .where("kind", "=", kind)
    .orderBy("tenant_id")
    .orderBy("key")
    .limit(limit)
    .execute();
}

/** Takes a key for the tenant, for good; false when it is taken, by whichever tenant. */
export async function claimKey(
  db: SystemQueries,
  kind: Row<"directory">["kind"],
  key: string,
  tenantId: number,
): Promise<boolean> {
  const taken = await db
    .insertInto("directory")
    .values({ kind, key, tenant_id: tenantId })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return (taken.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function releaseKey(db: SystemQueries, kind: Row<"directory">["kind"], key: string): Promise<void> {
  await db.deleteFrom("directory").where("kind", "=", kind).where("key", "=", key).execute();
}

/** Adds an account; undefined when its login is taken, by whichever tenant. */
export async function addAccount(db: TenantQueries, account: NewAccount): Promise<Account | undefined> {
  if (!(await claimKey(db, "login", account.login, account.tenantId))) return undefined;
  const row = await db
    .insertInto("account")
    .values({
      tenant_id: account.tenantId,
      login: account.login,
      name: account.name,
      role: account.role,
      password_hash: account.passwordHash ?? null,
      identity: account.identity ?? null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return accountOf(row);
}

export async function findAccount(db: TenantQueries, id: number): Promise<Account | undefined> {
  const row = await db.selectFrom("account").selectAll().where("id", "=", id).executeTakeFirst();
  return row && accountOf(row);
}

/** An account with what proves it, by its login or its identity at a provider. */
export async function findAccountBy(
  db: TenantQueries,
  column: "login" | "identity" | "id",
  value: string | number,
): Promise<(Account & AccountSecrets) | undefined> {
  const row = await db.selectFrom("account").selectAll().where(column, "=", value).executeTakeFirst();
  return (
    row && {
      ...accountOf(row),
      passwordHash: row.password_hash,
      totpSecret: row.totp_secret,
      totpConfirmed: row.totp_confirmed,
      totpStep: row.totp_step,
    }
  );
}

/** Accounts by login, after `after`. */
export async function listAccounts(
  db: TenantQueries,
  page: { readonly limit: number; readonly after?: string | undefined; readonly search?: string | undefined },
): Promise<readonly Account[]> {
  let query = db.selectFrom("account").selectAll().orderBy("login").limit(page.limit);
  if (page.after !== undefined) query = query.where("login", ">", page.after);
  if (page.search !== undefined) {
    const { search } = page;
    query = query.where((e) => e(sql<number>`strpos(lower(login || ' ' || name), lower(${search}))`, ">", 0));
  }
  return (await query.execute()).map(accountOf);
}

export async function changeAccount(
  db: TenantQueries,
  id: number,
  change: AccountChange,
): Promise<Account | undefined> {
  const set = {
    ...(change.name === undefined ? {} : { name: change.name }),
    ...(change.role === undefined ? {} : { role: change.role }),
    ...(change.enabled === undefined ? {} : { enabled: change.enabled }),
    ...(change.passwordHash === undefined ? {} : { password_hash: change.passwordHash }),
    ...(change.seenAt === undefined ? {} : { seen_at: change.seenAt }),
  };
  if (Object.keys(set).length === 0) return findAccount(db, id);
  const row = await db.updateTable("account").set(set).where("id", "=", id).returningAll().executeTakeFirst();
  if (change.role !== undefined || change.enabled !== undefined) await announce(db, { topic: "access", id });
  return row && accountOf(row);
}

/** Whether there was one. Its sessions and tokens end with it. */
export async function removeAccount(db: TenantQueries, id: number): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom("account").where("id", "=", id).executeTakeFirst();
  await announce(db, { topic: "access", id });
  return numDeletedRows > 0n;
}

/**
 * How many administrators could log in. Their rows stay locked until the transaction ends, so that two administrators who
 * remove each other at once do not both succeed.
 */
export async function countAdmins(db: TenantQueries): Promise<number> {
  const admins = await db
    .selectFrom("account")
    .select("id")
    .where("role", "=", "admin")
    .where("enabled", "=", true)
    .orderBy("id")
    .forUpdate()
    .execute();
  return admins.length;
}

/** Owners that an account belongs to. */
export async function ownersOf(db: TenantQueries, accountId: number): Promise<readonly number[]> {
  const rows = await db
    .selectFrom("account_owner")
    .select("owner_id")
    .where("account_id", "=", accountId)
    .orderBy("owner_id")
    .execute();
  return rows.map((row) => row.owner_id);
}

function accountOf(row: Row<"account">): Account {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    login: row.login,
    name: row.name,
    role: row.role,
    enabled: row.enabled,
    identity: row.identity,
    totp: row.totp_confirmed,
    createdAt: row.created_at,
    seenAt: row.seen_at,
  };
}
