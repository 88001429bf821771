import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/**
 * Moves a cluster's spool of audit events on.
 *
 * @returns false where the batch was taken before: its agent did not hear of it
 */
export async function takeAuditBatch(
  db: TenantQueries,
  clusterId: number,
  { epoch, sequence, now }: { readonly epoch: string; readonly sequence: number; readonly now: Date },
): Promise<boolean> {
  const { rows } = await sql`
    INSERT INTO audit_spool AS s (tenant_id, cluster_id, epoch, sequence, at)
    VALUES (current_tenant(), ${clusterId}, ${epoch}, ${sequence}, ${now})
    ON CONFLICT (cluster_id, epoch) DO UPDATE SET sequence = excluded.sequence, at = excluded.at
      WHERE s.sequence < excluded.sequence RETURNING sequence`.execute(db);
  return rows.length > 0;
}

/** A container of a pod where a sensor may watch it. */
export interface PodContainerPlace {
  readonly name: string;
  readonly image: string;
  readonly imageDigest: string;
  readonly runtimeId: string;
  /** Null without a sensor. */
  readonly nodeId: number | null;
}

/** The containers of a pod, those that run for good first. */
export async function containersOfPod(db: TenantQueries, podId: number): Promise<readonly PodContainerPlace[]> {
  const { rows } = await sql<PodContainerPlace>`
    SELECT c.name, c.image, c.image_digest AS "imageDigest", c.runtime_id AS "runtimeId",
      (SELECT r.node_id FROM container r WHERE r.runtime_id = c.runtime_id AND c.runtime_id <> '' ORDER BY r.id DESC LIMIT 1) AS "nodeId"
    FROM pod_container c WHERE c.pod_id = ${podId} ORDER BY c.role <> 'container', c.id`.execute(db);
  return rows;
}
