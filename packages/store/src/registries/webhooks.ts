import { claimKey, releaseKey } from "../accounts/accounts.ts";
import type { TenantQueries } from "../open-store.ts";

/** Gives a registry the webhook with this SHA-256 of its token; the one it had is void from then on. */
export async function setWebhook(db: TenantQueries, tenantId: number, registry: number, hash: string): Promise<void> {
  await dropWebhook(db, registry);
  await claimKey(db, "webhook", hash, tenantId);
  await db.updateTable("registry").set({ webhook_hash: hash }).where("id", "=", registry).execute();
}

/** Takes the webhook of a registry away. */
export async function dropWebhook(db: TenantQueries, registry: number): Promise<void> {
  const row = await db.selectFrom("registry").select("webhook_hash").where("id", "=", registry).executeTakeFirst();
  if (row?.webhook_hash == null) return;
  await releaseKey(db, "webhook", row.webhook_hash);
  await db.updateTable("registry").set({ webhook_hash: null }).where("id", "=", registry).execute();
}

/** The registry whose webhook has this SHA-256 of a token. */
export async function registryOfWebhook(db: TenantQueries, hash: string): Promise<number | undefined> {
  const row = await db.selectFrom("registry").select("id").where("webhook_hash", "=", hash).executeTakeFirst();
  return row?.id;
}
