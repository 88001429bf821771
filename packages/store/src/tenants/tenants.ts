import { sql } from "kysely";
import type { Store, TenantQueries } from "../open-store.ts";

/** The tenant that every installation has; its administrators make the others. */
export const FIRST_TENANT = 1;

export interface Tenant {
  readonly id: number;
  readonly name: string;
  readonly createdAt: Date;
}

/**
 * Makes a tenant and does its first work in the same transaction, as that tenant; undefined when the name is taken.
 *
 * @example await addTenant(store, "payments", (db, { id }) => addAccount(db, { tenantId: id, … }));
 */
export async function addTenant<Result>(
  store: Store,
  name: string,
  work: (db: TenantQueries, tenant: Tenant) => Promise<Result>,
): Promise<{ readonly tenant: Tenant; readonly result: Result } | undefined> {
  return store.system.transaction().execute(async (db) => {
    const row = await db
      .insertInto("tenant")
      .values({ name })
      .onConflict((conflict) => conflict.column("name").doNothing())
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) return undefined;
    await sql`SELECT set_config('bulwark.tenant', ${String(row.id)}, true)`.execute(db);
    const tenant = { id: row.id, name: row.name, createdAt: row.created_at };
    return { tenant, result: await work(db, tenant) };
  });
}

/** Tenants by id, after `after`. */
export async function listTenants(
  store: Store,
  page: { readonly limit: number; readonly after?: number | undefined },
): Promise<readonly Tenant[]> {
  let query = store.system.selectFrom("tenant").selectAll().orderBy("id").limit(page.limit);
  if (page.after !== undefined) query = query.where("id", ">", page.after);
  const rows = await query.execute();
  return rows.map((row) => ({ id: row.id, name: row.name, createdAt: row.created_at }));
}

export async function findTenant(store: Store, id: number): Promise<Tenant | undefined> {
  const row = await store.system.selectFrom("tenant").selectAll().where("id", "=", id).executeTakeFirst();
  return row && { id: row.id, name: row.name, createdAt: row.created_at };
}
