import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/** Bases whose consequences are settled in one transaction. */
const AT_ONCE = 20;

/** Notes nodes that images which were there before stand on from now on, in the transaction that made them so. */
export async function noteFreshBases(db: TenantQueries, nodes: readonly number[]): Promise<void> {
  if (nodes.length === 0) return;
  await sql`
    INSERT INTO lineage_fresh_base (tenant_id, chain_id) SELECT current_tenant(), unnest(${nodes}::bigint[])
    ON CONFLICT DO NOTHING`.execute(db);
}

/** Takes some of these; they come back when the transaction is not kept. Call it after `lockAssessments`. */
export async function takeFreshBases(db: TenantQueries): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    DELETE FROM lineage_fresh_base WHERE chain_id IN (SELECT chain_id FROM lineage_fresh_base ORDER BY chain_id LIMIT ${AT_ONCE})
    RETURNING chain_id AS id`.execute(db);
  return rows.map(({ id }) => id);
}

export async function hasFreshBases(db: TenantQueries): Promise<boolean> {
  return (await db.selectFrom("lineage_fresh_base").select("chain_id").limit(1).execute()).length > 0;
}
