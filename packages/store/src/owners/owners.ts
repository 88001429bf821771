import { sql } from "kysely";
import { announce } from "../jobs/events.ts";
import type { TenantQueries } from "../open-store.ts";

/** A person or team that answers for repositories and images. */
export interface Owner {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  /** Accounts that belong to it, by id. */
  readonly accounts: readonly number[];
}

export interface OwnerChange {
  readonly name?: string;
  readonly email?: string;
}

/** Adds an owner; undefined when the name is taken. */
export async function addOwner(
  db: TenantQueries,
  owner: { readonly tenantId: number; readonly name: string; readonly email: string },
): Promise<Owner | undefined> {
  const row = await db
    .insertInto("owner")
    .values({ tenant_id: owner.tenantId, name: owner.name, email: owner.email })
    .onConflict((conflict) => conflict.columns(["tenant_id", "name"]).doNothing())
    .returning("id")
    .executeTakeFirst();
  return row && { id: row.id, name: owner.name, email: owner.email, accounts: [] };
}

export async function findOwner(db: TenantQueries, id: number): Promise<Owner | undefined> {
  return owners(db).where("owner.id", "=", id).executeTakeFirst();
}

export interface OwnerPage {
  readonly limit: number;
  /** Name of the last owner of the page before. */
  readonly after?: string | undefined;
  readonly search?: string | undefined;
  /** Only these; all when undefined. */
  readonly only?: readonly number[] | undefined;
}

/** Owners by name. */
export async function listOwners(db: TenantQueries, page: OwnerPage): Promise<readonly Owner[]> {
  if (page.only?.length === 0) return [];
  let query = owners(db).orderBy("owner.name").limit(page.limit);
  if (page.after !== undefined) query = query.where("owner.name", ">", page.after);
  if (page.only !== undefined) query = query.where("owner.id", "in", page.only);
  if (page.search !== undefined) {
    const { search } = page;
    query = query.where((e) => e(sql<number>`strpos(lower(owner.name), lower(${search}))`, ">", 0));
  }
  return query.execute();
}

/** `taken` when another owner has the name, undefined when there is no such owner. */
export async function changeOwner(
  db: TenantQueries,
  id: number,
  change: OwnerChange,
): Promise<Owner | "taken" | undefined> {
  const { name, email } = change;
  if (name !== undefined) {
    const other = await db
      .selectFrom("owner")
      .select("id")
      .where("name", "=", name)
      .where("id", "<>", id)
      .executeTakeFirst();
    if (other !== undefined) return "taken";
  }
  if (name !== undefined || email !== undefined) {
    const set = { ...(name === undefined ? {} : { name }), ...(email === undefined ? {} : { email }) };
    await db.updateTable("owner").set(set).where("id", "=", id).execute();
  }
  return findOwner(db, id);
}

/** Whether there was one. What it owned has no owner of its own any more. */
export async function removeOwner(db: TenantQueries, id: number): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom("owner").where("id", "=", id).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Sets who belongs to an owner. @returns ids that are no accounts of this tenant; nothing changes then */
export async function setMembers(
  db: TenantQueries,
  tenantId: number,
  ownerId: number,
  accountIds: readonly number[],
): Promise<readonly number[]> {
  const known = accountIds.length === 0 ? [] : await knownAccounts(db, accountIds);
  const unknown = accountIds.filter((id) => !known.includes(id));
  if (unknown.length > 0) return unknown;
  await db.deleteFrom("account_owner").where("owner_id", "=", ownerId).execute();
  const rows = known.map((id) => ({ tenant_id: tenantId, account_id: id, owner_id: ownerId }));
  if (rows.length > 0) await db.insertInto("account_owner").values(rows).execute();
  // Whose owners these were, and are: without an id, everybody looks again.
  await announce(db, { topic: "access", id: "" });
  return [];
}

async function knownAccounts(db: TenantQueries, ids: readonly number[]): Promise<readonly number[]> {
  const rows = await db.selectFrom("account").select("id").where("id", "in", ids).execute();
  return rows.map((row) => row.id);
}

function owners(db: TenantQueries) {
  return db
    .selectFrom("owner")
    .select(["owner.id", "owner.name", "owner.email"])
    .select(
      sql<readonly number[]>`coalesce((SELECT json_agg(account_id ORDER BY account_id)
        FROM account_owner WHERE owner_id = owner.id), '[]')`.as("accounts"),
    );
}
