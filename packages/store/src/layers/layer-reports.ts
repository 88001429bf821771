import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/** The report of a layer as these analyzers made it, as bytes; undefined when they did not see it yet. */
export async function loadLayerReport(
  db: TenantQueries,
  diffId: string,
  analyzers: string,
): Promise<Uint8Array | undefined> {
  const row = await db
    .selectFrom("layer")
    .select("report")
    .where("diff_id", "=", diffId)
    .where("analyzers", "=", analyzers)
    .executeTakeFirst();
  return row?.report ?? undefined;
}

/** Keeps a layer's report, so that no worker reads the layer again. */
export async function saveLayerReport(
  db: TenantQueries,
  layer: { readonly diffId: string; readonly analyzers: string; readonly report: Uint8Array },
  now: Date,
): Promise<void> {
  await db
    .insertInto("layer")
    .values({
      tenant_id: sql<number>`current_tenant()`,
      diff_id: layer.diffId,
      digest: "",
      size_bytes: 0,
      analyzers: layer.analyzers,
      report: Buffer.from(layer.report),
      analyzed_at: now,
    })
    .onConflict((conflict) =>
      conflict.columns(["tenant_id", "diff_id"]).doUpdateSet({
        analyzers: layer.analyzers,
        report: Buffer.from(layer.report),
        analyzed_at: now,
      }),
    )
    .execute();
}
