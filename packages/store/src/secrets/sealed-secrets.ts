import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/** A secret at rest, and the row that it belongs to. */
export interface SealedSecret {
  readonly of: "registry" | "channel" | "account" | "response" | "export_target";
  readonly id: number;
  readonly sealed: Buffer;
}

/** Everything of the tenant that is sealed in a column of its own: credentials, addresses of channels, second factors, keys of quarantine. */
export async function sealedSecrets(db: TenantQueries): Promise<readonly SealedSecret[]> {
  const { rows } = await sql<SealedSecret>`
    SELECT 'registry' AS of, id, secret AS sealed FROM registry WHERE secret IS NOT NULL
    UNION ALL SELECT 'channel', id, secret FROM channel WHERE secret IS NOT NULL
    UNION ALL SELECT 'response', id, secret FROM response WHERE secret IS NOT NULL
    UNION ALL SELECT 'export_target', id, secret FROM export_target WHERE secret IS NOT NULL
    UNION ALL SELECT 'account', id, totp_secret FROM account WHERE totp_secret IS NOT NULL
    ORDER BY 1, 2`.execute(db);
  return rows;
}

/** Puts another sealed form in its place; one that somebody replaced in the meantime stays. */
export async function replaceSealed(db: TenantQueries, before: SealedSecret, sealed: Buffer): Promise<void> {
  const column = sql.ref(before.of === "account" ? "totp_secret" : "secret");
  await sql`UPDATE ${sql.table(before.of)} SET ${column} = ${sealed} WHERE id = ${before.id} AND ${column} = ${before.sealed}`.execute(
    db,
  );
}
