import type { TenantQueries } from "../open-store.ts";

/** Settings of the tenant whose names begin with `prefix`, as they were stored; check their shape before use. */
export async function listSettings(
  db: TenantQueries,
  prefix: string,
): Promise<readonly { readonly name: string; readonly value: unknown }[]> {
  return db
    .selectFrom("setting")
    .select(["name", "value"])
    .where((e) => e.fn<boolean>("starts_with", ["name", e.val(prefix)]))
    .orderBy("name")
    .execute();
}

/** A setting of the tenant, as it was stored; undefined where there is none. */
export async function readSetting(db: TenantQueries, name: string): Promise<unknown> {
  const row = await db.selectFrom("setting").select("value").where("name", "=", name).executeTakeFirst();
  return row?.value;
}

export async function writeSetting(db: TenantQueries, tenantId: number, name: string, value: unknown): Promise<void> {
  const text = JSON.stringify(value);
  await db
    .insertInto("setting")
    .values({ tenant_id: tenantId, name, value: text })
    .onConflict((conflict) => conflict.columns(["tenant_id", "name"]).doUpdateSet({ value: text }))
    .execute();
}

/** The first to write it wins: read it afterwards. */
export async function writeSettingOnce(
  db: TenantQueries,
  tenantId: number,
  name: string,
  value: unknown,
): Promise<void> {
  await db
    .insertInto("setting")
    .values({ tenant_id: tenantId, name, value: JSON.stringify(value) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function removeSetting(db: TenantQueries, name: string): Promise<void> {
  await db.deleteFrom("setting").where("name", "=", name).execute();
}
