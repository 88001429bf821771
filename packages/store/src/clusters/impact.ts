import { type RawBuilder, sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/** What something may be behind. */
export type ImpactCause =
  | { readonly kind: "vulnerability"; readonly id: string }
  | { readonly kind: "image"; readonly id: number }
  /** A secret that was found in images, by its fingerprint or rule. */
  | { readonly kind: "secret"; readonly id: string }
  | { readonly kind: "service-account"; readonly clusterId: number; readonly namespace: string; readonly name: string }
  | { readonly kind: "alert"; readonly id: number };

/** Everything that a cause concerns. */
export interface Impact {
  readonly clusters: number;
  readonly namespaces: number;
  readonly workloads: number;
  readonly exposed: number;
  readonly pods: number;
  readonly containers: number;
  /** Containers that sensors see and no cluster knows. */
  readonly selfBuilt: number;
  /** Images that run. */
  readonly images: number;
  readonly owners: readonly {
    readonly name: string;
    readonly workloads: number;
    readonly containers: number;
    readonly exposed: number;
  }[];
  /** The most urgent: those that are reached from outside first, then by grade and path. */
  readonly top: readonly ImpactedWorkload[];
}

export interface ImpactedWorkload {
  readonly id: number;
  readonly clusterId: number;
  readonly cluster: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly owner: string;
  readonly grade: string | null;
  readonly exposure: readonly Readonly<Record<string, unknown>>[];
  readonly worstPath: string;
  readonly containers: number;
  readonly image: string;
  readonly imageDigest: string;
}

const TOP = 200;

/** Finds what runs of a cause, whose it is, and what of it is reached from outside. */
export async function findImpact(db: TenantQueries, cause: ImpactCause): Promise<Impact> {
  const isOfImages = cause.kind !== "service-account" && cause.kind !== "alert";
  const digests = isOfImages ? await runningDigests(db, cause) : [];
  const hit = concerned(cause, digests);
  const { rows } = await sql<Omit<Impact, "selfBuilt">>`
    WITH hit AS MATERIALIZED (${hit}),
    grouped AS MATERIALIZED (
      SELECT h.workload_id, sum(h.containers)::int AS containers, min(h.image) AS image, min(h.image_digest) AS image_digest
      FROM hit h GROUP BY h.workload_id),
    joined AS MATERIALIZED (
      SELECT g.containers, g.image, g.image_digest, w.id, w.cluster_id, w.kind, w.namespace, w.name, w.owner_name, w.grade,
        w.exposure, w.worst_path, w.pods, w.exposure <> '[]' AS exposed
      FROM grouped g JOIN workload w ON w.id = g.workload_id)
    SELECT (SELECT count(DISTINCT cluster_id)::int FROM joined) AS clusters,
      (SELECT count(*)::int FROM (SELECT DISTINCT cluster_id, namespace FROM joined) n) AS namespaces,
      (SELECT count(*)::int FROM joined) AS workloads, (SELECT count(*)::int FROM joined WHERE exposed) AS exposed,
      (SELECT coalesce(sum(pods), 0)::int FROM joined) AS pods, (SELECT coalesce(sum(containers), 0)::int FROM joined) AS containers,
      (SELECT count(DISTINCT image_digest)::int FROM hit WHERE image_digest <> '') AS images,
      (SELECT coalesce(jsonb_agg(o ORDER BY o.exposed DESC, o.containers DESC, o.name), '[]') FROM (
        SELECT owner_name AS name, count(*)::int AS workloads, sum(containers)::int AS containers,
          count(*) FILTER (WHERE exposed)::int AS exposed FROM joined GROUP BY owner_name) o) AS owners,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'clusterId', t.cluster_id, 'cluster', k.name, 'kind', t.kind,
          'namespace', t.namespace, 'name', t.name, 'owner', t.owner_name, 'grade', t.grade, 'exposure', t.exposure,
          'worstPath', t.worst_path, 'containers', t.containers, 'image', t.image, 'imageDigest', t.image_digest) ORDER BY t.place), '[]')
        FROM (SELECT j.*, row_number() OVER (ORDER BY exposed DESC, grade IS NULL,
            array_position(ARRAY['critical', 'high', 'medium', 'low'], worst_path), containers DESC, id) AS place
          FROM joined j) t JOIN cluster k ON k.id = t.cluster_id WHERE t.place <= ${TOP}) AS top`.execute(db);
  return { ...rows[0]!, selfBuilt: digests.length === 0 ? 0 : await selfBuilt(db, digests) };
}

/** Rows `(workload_id, containers, image, image_digest)` of what runs. */
function concerned(cause: ImpactCause, digests: readonly string[]): RawBuilder<unknown> {
  const columns = sql`x.workload_id, x.containers, x.image, x.image_digest`;
  if (cause.kind === "service-account")
    return sql`SELECT ${columns} FROM workload_image x JOIN workload w ON w.id = x.workload_id
      WHERE w.cluster_id = ${cause.clusterId} AND w.namespace = ${cause.namespace} AND w.service_account = ${cause.name}`;
  if (cause.kind === "alert")
    return sql`SELECT ${columns} FROM workload_image x WHERE x.workload_id IN (SELECT a.workload_id FROM alert a WHERE a.id = ${cause.id})
      OR x.image_digest IN (SELECT a.image_digest FROM alert a WHERE a.id = ${cause.id} AND a.image_digest <> '')`;
  return sql`SELECT ${columns} FROM workload_image x WHERE x.image_digest = ANY(${digests}::text[])`;
}

/** Digests of images that run and that the cause is in: by manifest or by index, as the runtime names them. */
async function runningDigests(
  db: TenantQueries,
  cause: Extract<ImpactCause, { kind: "vulnerability" | "image" | "secret" }>,
): Promise<readonly string[]> {
  if (cause.kind === "image") {
    const { rows } = await sql<{ digest: string }>`
      SELECT digest FROM image WHERE id = ${cause.id}
      UNION SELECT t.digest FROM tag t JOIN tag_image ti ON ti.tag_id = t.id WHERE ti.image_id = ${cause.id}`.execute(
      db,
    );
    return rows.map(({ digest }) => digest);
  }
  const { rows } = await sql<{ digest: string }>`
    WITH running AS MATERIALIZED (SELECT DISTINCT image_digest AS digest FROM workload_image WHERE image_digest <> ''
      UNION SELECT image_digest FROM container WHERE stopped_at IS NULL AND image_digest <> ''),
    named AS MATERIALIZED (
      SELECT r.digest, i.id FROM running r JOIN image i ON i.digest = r.digest
      UNION SELECT r.digest, ti.image_id FROM running r JOIN tag t ON t.digest = r.digest JOIN tag_image ti ON ti.tag_id = t.id),
    hit AS MATERIALIZED (${cause.kind === "vulnerability" ? holding(cause.id) : carrying(cause.id)})
    SELECT DISTINCT n.digest FROM named n JOIN hit h ON h.id = n.id`.execute(db);
  return rows.map(({ digest }) => digest);
}

/** Digests by which runtimes and pods name images: their own, and those of indexes that they are in. */
export async function namesOfImages(db: TenantQueries, images: readonly number[]): Promise<readonly string[]> {
  const { rows } = await sql<{ digest: string }>`
    SELECT digest FROM image WHERE id = ANY(${images}::bigint[])
    UNION SELECT t.digest FROM tag t JOIN tag_image ti ON ti.tag_id = t.id WHERE ti.image_id = ANY(${images}::bigint[])`.execute(
    db,
  );
  return rows.map(({ digest }) => digest);
}

/** From the images that run to what their chains hold: a flaw of a large base is in more images than run. */
function holding(vulnerability: string): RawBuilder<unknown> {
  return sql`
    SELECT DISTINCT id FROM (
      SELECT i.id FROM (SELECT DISTINCT id FROM named) i JOIN image_chain ic ON ic.image_id = i.id
        JOIN chain_subject cs ON cs.chain_id = ic.chain_id
      WHERE cs.subject_id IN (SELECT m.subject_id FROM subject_match m WHERE m.vulnerability_id = ${vulnerability})
      GROUP BY i.id, cs.subject_id, cs.from_depth HAVING sum(cs.delta) > 0) held`;
}

/** Images with a finding of a kind of content, by its id. */
function carrying(finding: string): RawBuilder<unknown> {
  return sql`
    SELECT DISTINCT i.id FROM (SELECT DISTINCT id FROM named) i
    WHERE EXISTS (SELECT FROM image_chain ic JOIN chain_content cc USING (chain_id) JOIN content_fact f ON f.id = cc.fact_id
        WHERE ic.image_id = i.id AND f.rule_id = ${finding} AND cc.delta > 0)
      OR EXISTS (SELECT FROM image_content c JOIN content_fact f ON f.id = c.fact_id WHERE c.image_id = i.id AND f.rule_id = ${finding})`;
}

async function selfBuilt(db: TenantQueries, digests: readonly string[]): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::int AS count FROM container c WHERE c.stopped_at IS NULL AND c.image_digest = ANY(${digests}::text[])
      AND NOT EXISTS (SELECT FROM pod_container p WHERE p.runtime_id = c.runtime_id)`.execute(db);
  return rows[0]?.count ?? 0;
}
