import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/** Batches that were stored in a span of time. */
export interface BatchSpan {
  readonly since: Date;
  /** Not included. */
  readonly until: Date;
  readonly nodeId?: number | undefined;
}

export interface StoredBatch {
  readonly id: number;
  readonly nodeId: number;
  readonly hostname: string;
  readonly content: Buffer;
}

/** Batches in the order in which they came. */
export async function listBatches(
  db: TenantQueries,
  span: BatchSpan & { readonly after: number; readonly limit: number },
): Promise<readonly StoredBatch[]> {
  const { rows } = await sql<StoredBatch>`
    SELECT b.id, b.node_id AS "nodeId", coalesce(n.hostname, '') AS hostname, b.content
    FROM (SELECT id, node_id, content FROM runtime_batch b WHERE ${within(span)} AND b.id > ${span.after}
      ORDER BY b.id LIMIT ${span.limit}) b
    LEFT JOIN node n ON n.id = b.node_id ORDER BY b.id`.execute(db);
  return rows;
}

export async function countBatches(db: TenantQueries, span: BatchSpan): Promise<number> {
  const { rows } = await sql<{
    count: number;
  }>`SELECT count(*) AS count FROM runtime_batch b WHERE ${within(span)}`.execute(db);
  return rows[0]?.count ?? 0;
}

function within({ since, until, nodeId }: BatchSpan) {
  const node = nodeId === undefined ? sql`true` : sql`b.node_id = ${nodeId}`;
  return sql`b.at >= ${since} AND b.at < ${until} AND ${node}`;
}
