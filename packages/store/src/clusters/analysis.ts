import { sql } from "kysely";
import { jsonText } from "../json-text.ts";
import type { TenantQueries } from "../open-store.ts";

/** A workload as it is looked at: one of its pods stands for all of them. */
export interface WorkloadFacts {
  readonly id: number;
  readonly uid: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly pods: number;
  readonly nodes: readonly string[];
  /** The newest pod's document; null where it has none. */
  readonly pod: Readonly<Record<string, unknown>> | null;
  /** The workload's own document; null where it was not told of. */
  readonly document: Readonly<Record<string, unknown>> | null;
  /** Owner of the repository or registry of one of its images. */
  readonly imageOwner: string | null;
}

/** What follows for a workload. */
export interface WorkloadVerdict {
  readonly id: number;
  readonly ownerName: string;
  readonly ownerFrom: string;
  readonly grade: string | null;
  readonly exposure: readonly unknown[];
  readonly serviceAccount: string;
  readonly worstPath: string;
}

export interface FoundPath {
  /** Same for the same way. */
  readonly key: string;
  readonly workloadId: number;
  readonly target: string;
  readonly severity: string;
  readonly exposed: boolean;
  readonly steps: readonly unknown[];
}

/** Kinds of which each object without a controller is a workload, also while it has no pods. */
const MAKERS = ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "ReplicationController"];

/** @returns the clusters of which something changed since they were looked at, oldest change first */
export async function clustersToAnalyse(db: TenantQueries): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    SELECT id FROM cluster WHERE removed_at IS NULL AND changed_at IS NOT NULL
      AND (analysed_at IS NULL OR analysed_at < changed_at) ORDER BY changed_at`.execute(db);
  return rows.map(({ id }) => id);
}

/**
 * Begins to look at a cluster, and nobody else does until the transaction ends.
 *
 * @returns undefined where somebody else is at it, or the cluster is gone
 */
export async function lockCluster(
  db: TenantQueries,
  id: number,
): Promise<{ readonly grade: string | null; readonly owner: string | null } | undefined> {
  const { rows } = await sql<{ grade: string | null; owner: string | null }>`
    SELECT c.grade, (SELECT o.name FROM owner o WHERE o.id = c.owner_id) AS owner FROM cluster c
    WHERE c.id = ${id} AND c.removed_at IS NULL
      AND pg_try_advisory_xact_lock(hashtextextended('cluster-analysis', c.id))`.execute(db);
  return rows[0];
}

/** Brings workloads in line with what is there: new ones are added, those without an object and without pods go. */
export async function settleWorkloads(db: TenantQueries, id: number, now: Date): Promise<void> {
  await sql`
    INSERT INTO workload (tenant_id, cluster_id, uid, kind, namespace, name, seen_at)
    SELECT current_tenant(), o.cluster_id, o.uid, o.kind, o.namespace, o.name, ${now} FROM cluster_object o
    WHERE o.cluster_id = ${id} AND o.kind = ANY(${MAKERS}::text[])
      AND NOT EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof(o.document#>'{metadata,ownerReferences}')
        WHEN 'array' THEN o.document#>'{metadata,ownerReferences}' ELSE '[]' END) AS r WHERE r->'controller' = 'true')
    ON CONFLICT (cluster_id, uid) DO NOTHING`.execute(db);
  await sql`
    DELETE FROM workload w WHERE w.cluster_id = ${id} AND NOT EXISTS (SELECT FROM pod p WHERE p.workload_id = w.id)
      AND NOT EXISTS (SELECT FROM cluster_object o WHERE o.cluster_id = ${id} AND o.uid = w.uid)`.execute(db);
  await sql`
    WITH now AS (
      SELECT p.workload_id, c.image_digest, c.image, count(*)::int AS containers
      FROM pod p JOIN pod_container c ON c.pod_id = p.id WHERE p.cluster_id = ${id} GROUP BY 1, 2, 3),
    gone AS (
      DELETE FROM workload_image x WHERE x.cluster_id = ${id} AND NOT EXISTS (SELECT FROM now n
        WHERE n.workload_id = x.workload_id AND n.image_digest = x.image_digest AND n.image = x.image))
    INSERT INTO workload_image AS x (tenant_id, cluster_id, workload_id, image_digest, image, containers)
    SELECT current_tenant(), ${id}, workload_id, image_digest, image, containers FROM now
    ON CONFLICT (workload_id, image_digest, image) DO UPDATE SET containers = excluded.containers
      WHERE x.containers <> excluded.containers`.execute(db);
  await sql`
    UPDATE workload w SET pods = n.pods FROM (
      SELECT w.id, count(p.id)::int AS pods FROM workload w LEFT JOIN pod p ON p.workload_id = w.id
      WHERE w.cluster_id = ${id} GROUP BY w.id) n
    WHERE w.id = n.id AND w.pods <> n.pods`.execute(db);
}

export async function workloadFacts(db: TenantQueries, id: number): Promise<readonly WorkloadFacts[]> {
  const { rows } = await sql<WorkloadFacts>`
    WITH ran AS (
      SELECT workload_id, array_agg(DISTINCT node) FILTER (WHERE node <> '') AS nodes, max(id) AS pod FROM pod
      WHERE cluster_id = ${id} GROUP BY workload_id)
    SELECT w.id, w.uid, w.kind, w.namespace, w.name, w.pods, coalesce(ran.nodes, '{}') AS nodes, po.document AS pod, o.document,
      (SELECT own.name FROM workload_image x JOIN image i ON i.digest = x.image_digest AND x.image_digest <> ''
        JOIN image_location l ON l.image_id = i.id JOIN repository r ON r.id = l.repository_id JOIN registry g ON g.id = r.registry_id
        JOIN owner own ON own.id = coalesce(i.owner_id, r.owner_id, g.owner_id)
        WHERE x.workload_id = w.id ORDER BY x.image LIMIT 1) AS "imageOwner"
    FROM workload w LEFT JOIN ran ON ran.workload_id = w.id LEFT JOIN pod p ON p.id = ran.pod
      LEFT JOIN cluster_object po ON po.cluster_id = ${id} AND po.uid = p.uid
      LEFT JOIN cluster_object o ON o.cluster_id = ${id} AND o.uid = w.uid
    WHERE w.cluster_id = ${id} ORDER BY w.id`.execute(db);
  return rows;
}

/** Keeps what was found; rows that are as before are not written. */
export async function keepAnalysis(
  db: TenantQueries,
  id: number,
  found: {
    readonly workloads: readonly WorkloadVerdict[];
    readonly paths: readonly FoundPath[];
    readonly now: Date;
  },
): Promise<void> {
  await sql`
    UPDATE workload w SET owner_name = f->>'ownerName', owner_from = f->>'ownerFrom', grade = f->>'grade', exposure = f->'exposure',
      service_account = f->>'serviceAccount', worst_path = f->>'worstPath',
      owner_id = (SELECT o.id FROM owner o WHERE o.name = f->>'ownerName')
    FROM jsonb_array_elements(${jsonText(found.workloads)}::jsonb) AS f
    WHERE w.id = (f->>'id')::bigint AND w.cluster_id = ${id} AND (w.owner_name, w.owner_from, w.grade, w.exposure, w.service_account, w.worst_path)
      IS DISTINCT FROM (f->>'ownerName', f->>'ownerFrom', f->>'grade', f->'exposure', f->>'serviceAccount', f->>'worstPath')`.execute(
    db,
  );
  await sql`
    WITH told AS (SELECT f FROM jsonb_array_elements(${jsonText(found.paths)}::jsonb) AS f),
    gone AS (DELETE FROM attack_path p WHERE p.cluster_id = ${id} AND NOT EXISTS (SELECT FROM told WHERE f->>'key' = p.key))
    INSERT INTO attack_path AS p (tenant_id, cluster_id, workload_id, target, severity, steps, key, exposed, first_seen, seen_at)
    SELECT current_tenant(), ${id}, (f->>'workloadId')::bigint, f->>'target', f->>'severity', f->'steps', f->>'key',
      (f->>'exposed')::boolean, ${found.now}, ${found.now} FROM told
    ON CONFLICT (cluster_id, key) DO UPDATE SET severity = excluded.severity, steps = excluded.steps, exposed = excluded.exposed,
      workload_id = excluded.workload_id, seen_at = excluded.seen_at
      WHERE (p.severity, p.steps, p.exposed) IS DISTINCT FROM (excluded.severity, excluded.steps, excluded.exposed)`.execute(
    db,
  );
  await sql`UPDATE cluster SET analysed_at = ${found.now} WHERE id = ${id}`.execute(db);
}

/** A way from a workload to more. */
export interface StoredPath {
  readonly id: number;
  readonly clusterId: number;
  readonly cluster: string;
  readonly workloadId: number;
  readonly workload: string;
  readonly namespace: string;
  readonly owner: string;
  readonly target: string;
  readonly severity: string;
  readonly exposed: boolean;
  readonly steps: readonly Readonly<Record<string, unknown>>[];
  readonly firstSeen: string;
}

/** Paths, the worst first; of paths of one severity those that begin outside. */
export async function listPaths(
  db: TenantQueries,
  filter: {
    readonly clusterId?: number | undefined;
    readonly workloadId?: number | undefined;
    readonly target?: string | undefined;
    readonly offset: number;
    readonly limit: number;
  },
): Promise<readonly StoredPath[]> {
  const { clusterId, workloadId, target } = filter;
  const { rows } = await sql<StoredPath>`
    SELECT p.id, p.cluster_id AS "clusterId", k.name AS cluster, w.id AS "workloadId", w.kind || ' ' || w.name AS workload, w.namespace,
      w.owner_name AS owner, p.target, p.severity, p.exposed, p.steps, to_json(p.first_seen)#>>'{}' AS "firstSeen"
    FROM attack_path p JOIN cluster k ON k.id = p.cluster_id JOIN workload w ON w.id = p.workload_id
    WHERE ${clusterId === undefined ? sql`true` : sql`p.cluster_id = ${clusterId}`}
      AND ${workloadId === undefined ? sql`true` : sql`p.workload_id = ${workloadId}`}
      AND ${target === undefined ? sql`true` : sql`p.target = ${target}`}
    ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low'], p.severity), p.exposed DESC, jsonb_array_length(p.steps), p.id
    OFFSET ${filter.offset} LIMIT ${filter.limit}`.execute(db);
  return rows;
}
