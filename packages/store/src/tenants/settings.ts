import type { TenantQueries } from "../open-store.ts";

/** A setting of the tenant, as it was stored; check its shape before use. */
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
