import type { TenantQueries } from "../open-store.ts";

/** Keeps the encrypted secret of a second factor that is not confirmed yet. */
export async function beginTotp(db: TenantQueries, accountId: number, secret: Buffer): Promise<void> {
  await db
    .updateTable("account")
    .set({ totp_secret: secret, totp_confirmed: false, totp_step: 0 })
    .where("id", "=", accountId)
    .execute();
}

/** Makes the second factor count from now on, with recovery codes given as hashes. */
export async function confirmTotp(
  db: TenantQueries,
  tenantId: number,
  accountId: number,
  codeHashes: readonly string[],
): Promise<void> {
  await db.updateTable("account").set({ totp_confirmed: true }).where("id", "=", accountId).execute();
  await db.deleteFrom("recovery_code").where("account_id", "=", accountId).execute();
  const rows = codeHashes.map((hash) => ({ tenant_id: tenantId, account_id: accountId, hash }));
  await db.insertInto("recovery_code").values(rows).execute();
}

export async function removeTotp(db: TenantQueries, accountId: number): Promise<void> {
  await db
    .updateTable("account")
    .set({ totp_secret: null, totp_confirmed: false, totp_step: 0 })
    .where("id", "=", accountId)
    .execute();
  await db.deleteFrom("recovery_code").where("account_id", "=", accountId).execute();
}

/** Takes the code of a time step; false when it, or a later one, was taken before (RFC 6238, section 5.2). */
export async function takeTotpStep(db: TenantQueries, accountId: number, step: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("account")
    .set({ totp_step: step })
    .where("id", "=", accountId)
    .where("totp_step", "<", step)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Takes a recovery code, once. */
export async function takeRecoveryCode(db: TenantQueries, accountId: number, hash: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom("recovery_code")
    .where("account_id", "=", accountId)
    .where("hash", "=", hash)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}
