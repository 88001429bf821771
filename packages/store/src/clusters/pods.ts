import { sql } from "kysely";
import { jsonText } from "../json-text.ts";
import type { TenantQueries } from "../open-store.ts";

/** What somebody deployed: the top of the chain of owners of its pods. */
export interface SeenWorkload {
  readonly uid: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface SeenPodContainer {
  readonly name: string;
  readonly role: string;
  readonly image: string;
  /** `sha256:…`; empty until it was pulled. */
  readonly imageDigest: string;
  /** The runtime's id, without its scheme; empty until it started. */
  readonly runtimeId: string;
  readonly state: string;
  readonly privileged: boolean;
}

export interface SeenPod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly serviceAccount: string;
  readonly phase: string;
  readonly addresses: readonly string[];
  readonly hostNetwork: boolean;
  readonly startedAt: string | null;
  readonly workload: SeenWorkload;
  readonly containers: readonly SeenPodContainer[];
}

/** Keeps pods with their workloads and containers; those that are known are brought up to date. */
export async function keepPods(
  db: TenantQueries,
  clusterId: number,
  pods: readonly SeenPod[],
  now: Date,
): Promise<void> {
  if (pods.length === 0) return;
  const workloads = [...new Map(pods.map(({ workload }) => [workload.uid, workload])).values()];
  await sql`
    INSERT INTO workload AS w (tenant_id, cluster_id, uid, kind, namespace, name, seen_at)
    SELECT current_tenant(), ${clusterId}, f->>'uid', f->>'kind', f->>'namespace', f->>'name', ${now}
    FROM jsonb_array_elements(${jsonText(workloads)}::jsonb) AS f ORDER BY f->>'uid'
    ON CONFLICT (cluster_id, uid) DO UPDATE SET seen_at = excluded.seen_at`.execute(db);
  const rows = pods.map(({ workload, ...pod }) => ({ ...pod, workload: workload.uid }));
  await sql`
    WITH told AS (SELECT f FROM jsonb_array_elements(${jsonText(rows)}::jsonb) AS f),
    kept AS (
      INSERT INTO pod AS p (tenant_id, cluster_id, workload_id, uid, namespace, name, node, service_account, phase, addresses,
        host_network, started_at, seen_at)
      SELECT current_tenant(), ${clusterId}, w.id, f->>'uid', f->>'namespace', f->>'name', f->>'node', f->>'serviceAccount', f->>'phase',
        ARRAY(SELECT jsonb_array_elements_text(f->'addresses')), (f->>'hostNetwork')::boolean, (f->>'startedAt')::timestamptz, ${now}
      FROM told JOIN workload w ON w.cluster_id = ${clusterId} AND w.uid = f->>'workload'
      ON CONFLICT (cluster_id, uid) DO UPDATE SET workload_id = excluded.workload_id, node = excluded.node, phase = excluded.phase,
        service_account = excluded.service_account, addresses = excluded.addresses, started_at = excluded.started_at,
        seen_at = excluded.seen_at
      RETURNING id, uid
    ),
    gone AS (
      DELETE FROM pod_container c USING kept, told WHERE c.pod_id = kept.id AND told.f->>'uid' = kept.uid
        AND NOT EXISTS (SELECT FROM jsonb_array_elements(told.f->'containers') AS t WHERE t->>'name' = c.name AND t->>'role' = c.role)
    )
    INSERT INTO pod_container AS c (tenant_id, cluster_id, pod_id, name, role, image, image_digest, runtime_id, state, privileged)
    SELECT current_tenant(), ${clusterId}, kept.id, t->>'name', t->>'role', t->>'image', t->>'imageDigest', t->>'runtimeId',
      t->>'state', (t->>'privileged')::boolean
    FROM kept JOIN told ON told.f->>'uid' = kept.uid, jsonb_array_elements(told.f->'containers') AS t
    ON CONFLICT (pod_id, role, name) DO UPDATE SET image = excluded.image, image_digest = excluded.image_digest,
      runtime_id = excluded.runtime_id, state = excluded.state, privileged = excluded.privileged`.execute(db);
}

/** A workload in the lists of the console. */
export interface Workload extends SeenWorkload {
  readonly id: number;
  readonly clusterId: number;
  readonly cluster: string;
  readonly pods: number;
  readonly containers: number;
  readonly serviceAccount: string;
  readonly grade: string | null;
  readonly owner: { readonly name: string; readonly from: string } | null;
  /** Ways by which others than the cluster reach it. */
  readonly exposure: readonly Readonly<Record<string, unknown>>[];
  /** Severity of the worst path from it; empty for none. */
  readonly worstPath: string;
  /** Findings of its images that were scanned; null where none was. */
  readonly critical: number | null;
  readonly high: number | null;
  readonly images: readonly {
    readonly image: string;
    readonly digest: string;
    readonly imageId: number | null;
    readonly containers: number;
  }[];
  readonly openAlerts: number;
}

export interface WorkloadFilter {
  readonly clusterId?: number | undefined;
  readonly namespace?: string | undefined;
  readonly text?: string | undefined;
  readonly exposed?: boolean | undefined;
  readonly after?: number | undefined;
  readonly limit: number;
}

/** Of image digest `d`: the image itself, or the first of an index that a tag named. */
const IMAGE_OF_DIGEST = (digest: ReturnType<typeof sql>) => sql`(SELECT coalesce(
  (SELECT i.id FROM image i WHERE i.digest = ${digest} AND ${digest} <> ''),
  (SELECT ti.image_id FROM tag t JOIN tag_image ti ON ti.tag_id = t.id WHERE t.digest = ${digest} AND ${digest} <> ''
    ORDER BY ti.image_id LIMIT 1)))`;

const WORKLOAD = sql`w.id, w.cluster_id AS "clusterId", k.name AS cluster, w.uid, w.kind, w.namespace, w.name, w.pods,
  w.service_account AS "serviceAccount", w.grade, w.exposure, w.worst_path AS "worstPath",
  CASE WHEN w.owner_name <> '' THEN jsonb_build_object('name', w.owner_name, 'from', w.owner_from) END AS owner,
  m.containers, m.critical, m.high, m.images,
  (SELECT count(*)::int FROM alert a WHERE a.workload_id = w.id AND a.state IN ('open', 'acknowledged')) AS "openAlerts"`;

const IMAGES = sql`LATERAL (
  SELECT coalesce(sum(x.containers), 0)::int AS containers, sum(i.critical)::int AS critical, sum(i.high)::int AS high,
    coalesce(jsonb_agg(jsonb_build_object('image', x.image, 'digest', x.image_digest, 'imageId', i.id, 'containers', x.containers)
      ORDER BY x.image), '[]') AS images
  FROM workload_image x LEFT JOIN image i ON i.id = ${IMAGE_OF_DIGEST(sql`x.image_digest`)} WHERE x.workload_id = w.id) m`;

export async function listWorkloads(db: TenantQueries, filter: WorkloadFilter): Promise<readonly Workload[]> {
  const { clusterId, namespace, text = "", exposed } = filter;
  const { rows } = await sql<Workload>`
    SELECT ${WORKLOAD} FROM workload w JOIN cluster k ON k.id = w.cluster_id, ${IMAGES}
    WHERE w.id > ${filter.after ?? 0} AND ${clusterId === undefined ? sql`true` : sql`w.cluster_id = ${clusterId}`}
      AND ${namespace === undefined ? sql`true` : sql`w.namespace = ${namespace}`}
      AND ${exposed === undefined ? sql`true` : sql`(w.exposure <> '[]') = ${exposed}`}
      AND strpos(lower(w.namespace || '/' || w.name), lower(${text})) > 0
    ORDER BY w.id LIMIT ${filter.limit}`.execute(db);
  return rows;
}

export async function getWorkload(db: TenantQueries, id: number): Promise<Workload | undefined> {
  const { rows } = await sql<Workload>`
    SELECT ${WORKLOAD} FROM workload w JOIN cluster k ON k.id = w.cluster_id, ${IMAGES} WHERE w.id = ${id}`.execute(db);
  return rows[0];
}

/** A pod in the lists of the console. */
export interface Pod {
  readonly id: number;
  readonly clusterId: number;
  readonly cluster: string;
  readonly workloadId: number;
  readonly workload: string;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  /** The node with a sensor that this is; null without one. */
  readonly nodeId: number | null;
  readonly serviceAccount: string;
  readonly phase: string;
  readonly addresses: readonly string[];
  readonly hostNetwork: boolean;
  readonly startedAt: string | null;
  readonly containers: readonly (SeenPodContainer & {
    readonly imageId: number | null;
    /** Of the same container where a sensor saw it; null without one. */
    readonly containerId: number | null;
    readonly critical: number | null;
    readonly high: number | null;
  })[];
}

const POD = sql`p.id, p.cluster_id AS "clusterId", k.name AS cluster, p.workload_id AS "workloadId",
  w.kind || ' ' || w.name AS workload, p.uid, p.namespace, p.name, p.node,
  (SELECT n.id FROM node n WHERE n.removed_at IS NULL AND n.facts->>'kubernetesNode' = p.node AND p.node <> '' ORDER BY n.id DESC LIMIT 1) AS "nodeId",
  p.service_account AS "serviceAccount", p.phase, p.addresses, p.host_network AS "hostNetwork",
  to_json(p.started_at)#>>'{}' AS "startedAt",
  (SELECT coalesce(jsonb_agg(jsonb_build_object('name', c.name, 'role', c.role, 'image', c.image, 'imageDigest', c.image_digest,
      'runtimeId', c.runtime_id, 'state', c.state, 'privileged', c.privileged, 'imageId', i.id, 'critical', i.critical, 'high', i.high,
      'containerId', (SELECT r.id FROM container r WHERE r.runtime_id = c.runtime_id AND c.runtime_id <> '' ORDER BY r.id DESC LIMIT 1))
      ORDER BY c.role, c.name), '[]')
    FROM pod_container c LEFT JOIN image i ON i.id = ${IMAGE_OF_DIGEST(sql`c.image_digest`)} WHERE c.pod_id = p.id) AS containers`;

export interface PodFilter {
  readonly clusterId?: number | undefined;
  readonly workloadId?: number | undefined;
  readonly namespace?: string | undefined;
  readonly node?: string | undefined;
  readonly text?: string | undefined;
  readonly after?: number | undefined;
  readonly limit: number;
}

export async function listPods(db: TenantQueries, filter: PodFilter): Promise<readonly Pod[]> {
  const { clusterId, workloadId, namespace, node, text = "" } = filter;
  const { rows } = await sql<Pod>`
    SELECT ${POD} FROM pod p JOIN cluster k ON k.id = p.cluster_id JOIN workload w ON w.id = p.workload_id
    WHERE p.id > ${filter.after ?? 0} AND ${clusterId === undefined ? sql`true` : sql`p.cluster_id = ${clusterId}`}
      AND ${workloadId === undefined ? sql`true` : sql`p.workload_id = ${workloadId}`}
      AND ${namespace === undefined ? sql`true` : sql`p.namespace = ${namespace}`}
      AND ${node === undefined ? sql`true` : sql`p.node = ${node}`}
      AND strpos(lower(p.namespace || '/' || p.name), lower(${text})) > 0
    ORDER BY p.id LIMIT ${filter.limit}`.execute(db);
  return rows;
}

/** Whose pod it is; undefined for one that is not known. */
export async function findPod(
  db: TenantQueries,
  clusterId: number,
  namespace: string,
  name: string,
): Promise<{ readonly id: number; readonly workloadId: number } | undefined> {
  const { rows } = await sql<{ id: number; workloadId: number }>`
    SELECT id, workload_id AS "workloadId" FROM pod
    WHERE cluster_id = ${clusterId} AND namespace = ${namespace} AND name = ${name}`.execute(db);
  return rows[0];
}

/** A pod that runs, as far as its addresses matter. */
export interface PodPlace {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly serviceAccount: string;
  readonly addresses: readonly string[];
  readonly node: string;
}

/** From where the pods of a cluster speak. */
export async function podAddresses(db: TenantQueries, clusterId: number): Promise<readonly PodPlace[]> {
  const { rows } = await sql<PodPlace>`
    SELECT namespace, name, uid, service_account AS "serviceAccount", addresses, node FROM pod
    WHERE cluster_id = ${clusterId} AND phase IN ('Pending', 'Running')`.execute(db);
  return rows;
}
