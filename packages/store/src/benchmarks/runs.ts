import { sql } from "kysely";
import { jsonText } from "../json-text.ts";
import type { TenantQueries } from "../open-store.ts";

export type BenchmarkCause = "person" | "schedule" | "fix";
type TargetState = "queued" | "sent" | "done" | "failed" | "expired";

/** A run and how far it is. */
export interface BenchmarkRun {
  readonly id: number;
  readonly profile: string;
  readonly cause: BenchmarkCause;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly targets: number;
  readonly done: number;
  readonly failed: number;
  /** Null while targets are waited for. */
  readonly finishedAt: string | null;
  /** Mean of the scores of its targets. */
  readonly score: number | null;
}

/** A node or a cluster in a run. */
export interface BenchmarkTarget {
  readonly id: number;
  readonly runId: number;
  readonly nodeId: number | null;
  readonly clusterId: number | null;
  readonly name: string;
  readonly profile: string;
  readonly state: TargetState;
  readonly detail: string;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  readonly score: number | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly wallUs: number | null;
  readonly cpuUs: number | null;
}

/** Targets of a place whose results are kept. */
const KEPT_RESULTS = 10;
/** Targets of a place whose scores are kept: hourly for three months. */
const KEPT_TARGETS = 2_200;

const RUN = sql`r.id, r.profile, r.cause, r.created_by AS "createdBy", to_json(r.created_at)#>>'{}' AS "createdAt",
  (SELECT jsonb_build_object('targets', count(*), 'done', count(*) FILTER (WHERE t.state = 'done'),
    'failed', count(*) FILTER (WHERE t.state IN ('failed', 'expired')), 'score', floor(avg(t.score)),
    'finishedAt', CASE WHEN bool_and(t.state NOT IN ('queued', 'sent')) THEN to_json(max(t.finished_at)) END)
   FROM benchmark_target t WHERE t.run_id = r.id) AS progress`;

interface RunRow extends Omit<BenchmarkRun, "targets" | "done" | "failed" | "finishedAt" | "score"> {
  readonly progress: Pick<BenchmarkRun, "targets" | "done" | "failed" | "finishedAt" | "score">;
}

const runOf = ({ progress, ...run }: RunRow): BenchmarkRun => ({ ...run, ...progress });

/**
 * Begins a run.
 *
 * @param run.places nodes and clusters; a place that is not there is left out
 * @returns its id, and how many targets it has
 */
export async function addBenchmarkRun(
  db: TenantQueries,
  run: {
    readonly profile: string;
    readonly cause: BenchmarkCause;
    readonly createdBy: string;
    readonly now: Date;
    readonly expiresAt: Date;
    /** All of them where both are left out. */
    readonly nodes?: readonly number[] | undefined;
    readonly clusters?: readonly number[] | undefined;
  },
): Promise<{ readonly id: number; readonly nodes: readonly number[]; readonly clusters: readonly number[] }> {
  const isAll = run.nodes === undefined && run.clusters === undefined;
  const { rows: made } = await sql<{ id: number }>`
    INSERT INTO benchmark_run (tenant_id, profile, cause, created_by, created_at)
    VALUES (current_tenant(), ${run.profile}, ${run.cause}, ${run.createdBy}, ${run.now}) RETURNING id`.execute(db);
  const { id } = made[0]!;
  const { rows } = await sql<{ nodeId: number | null; clusterId: number | null }>`
    INSERT INTO benchmark_target (tenant_id, run_id, node_id, cluster_id, uid, state, created_at, expires_at)
    SELECT current_tenant(), ${id}, p.node_id, p.cluster_id, gen_random_uuid()::text, 'queued', ${run.now}, ${run.expiresAt} FROM (
      SELECT id AS node_id, NULL::bigint AS cluster_id FROM node WHERE removed_at IS NULL
        AND (${isAll} OR id = ANY(${run.nodes ?? []}::bigint[]))
      UNION ALL SELECT NULL, id FROM cluster WHERE removed_at IS NULL AND enrolled_at IS NOT NULL
        AND (${isAll} OR id = ANY(${run.clusters ?? []}::bigint[]))) p
    RETURNING node_id AS "nodeId", cluster_id AS "clusterId"`.execute(db);
  return {
    id,
    nodes: rows.flatMap(({ nodeId }) => (nodeId === null ? [] : [nodeId])),
    clusters: rows.flatMap(({ clusterId }) => (clusterId === null ? [] : [clusterId])),
  };
}

export async function listBenchmarkRuns(
  db: TenantQueries,
  page: { readonly before?: number | undefined; readonly limit: number },
): Promise<readonly BenchmarkRun[]> {
  const { rows } = await sql<RunRow>`SELECT ${RUN} FROM benchmark_run r
    WHERE ${page.before ?? null}::bigint IS NULL OR r.id < ${page.before ?? null} ORDER BY r.id DESC LIMIT ${page.limit}`.execute(
    db,
  );
  return rows.map(runOf);
}

export async function getBenchmarkRun(db: TenantQueries, id: number): Promise<BenchmarkRun | undefined> {
  const { rows } = await sql<RunRow>`SELECT ${RUN} FROM benchmark_run r WHERE r.id = ${id}`.execute(db);
  return rows[0] === undefined ? undefined : runOf(rows[0]);
}

const TARGET = sql`t.id, t.run_id AS "runId", t.node_id AS "nodeId", t.cluster_id AS "clusterId",
  coalesce(n.hostname, c.name) AS name, r.profile, t.state, t.detail, to_json(t.created_at)#>>'{}' AS "createdAt",
  to_json(t.finished_at)#>>'{}' AS "finishedAt", t.score, t.counts, t.wall_us AS "wallUs", t.cpu_us AS "cpuUs"`;
const FROM = sql`FROM benchmark_target t JOIN benchmark_run r ON r.id = t.run_id LEFT JOIN node n ON n.id = t.node_id
  LEFT JOIN cluster c ON c.id = t.cluster_id`;

export async function targetsOfRun(db: TenantQueries, runId: number): Promise<readonly BenchmarkTarget[]> {
  const { rows } =
    await sql<BenchmarkTarget>`SELECT ${TARGET} ${FROM} WHERE t.run_id = ${runId} ORDER BY name, t.id`.execute(db);
  return rows;
}

export async function getBenchmarkTarget(db: TenantQueries, id: number): Promise<BenchmarkTarget | undefined> {
  const { rows } = await sql<BenchmarkTarget>`SELECT ${TARGET} ${FROM} WHERE t.id = ${id}`.execute(db);
  return rows[0];
}

/** The newest target of a place that was judged. */
export async function newestTarget(
  db: TenantQueries,
  place: { readonly nodeId?: number | undefined; readonly clusterId?: number | undefined },
): Promise<BenchmarkTarget | undefined> {
  const { rows } = await sql<BenchmarkTarget>`SELECT ${TARGET} ${FROM} WHERE t.state = 'done'
    AND (t.node_id = ${place.nodeId ?? null} OR t.cluster_id = ${place.clusterId ?? null}) ORDER BY t.id DESC LIMIT 1`.execute(
    db,
  );
  return rows[0];
}

/** Orders to gather facts that a node has yet to carry out. */
export async function takeDueGathers(
  db: TenantQueries,
  nodeId: number,
  now: Date,
): Promise<
  readonly { readonly uid: string; readonly profile: string; readonly createdAt: Date; readonly expiresAt: Date }[]
> {
  const { rows } = await sql<{ uid: string; profile: string; createdAt: Date; expiresAt: Date }>`
    UPDATE benchmark_target t SET state = 'sent' FROM benchmark_run r
    WHERE r.id = t.run_id AND t.node_id = ${nodeId} AND t.state IN ('queued', 'sent') AND t.expires_at > ${now}
    RETURNING t.uid, r.profile, t.created_at AS "createdAt", t.expires_at AS "expiresAt"`.execute(db);
  return rows;
}

/** The target that an order's answer is of, while it is waited for. */
export async function findGather(
  db: TenantQueries,
  nodeId: number,
  uid: string,
): Promise<{ readonly id: number; readonly runId: number; readonly profile: string } | undefined> {
  const { rows } = await sql<{ id: number; runId: number; profile: string }>`
    SELECT t.id, t.run_id AS "runId", r.profile FROM benchmark_target t JOIN benchmark_run r ON r.id = t.run_id
    WHERE t.uid = ${uid} AND t.node_id = ${nodeId} AND t.state IN ('queued', 'sent') FOR UPDATE OF t`.execute(db);
  return rows[0];
}

/** Clusters whose turn it is. */
export async function waitingClusters(
  db: TenantQueries,
): Promise<
  readonly { readonly id: number; readonly runId: number; readonly clusterId: number; readonly profile: string }[]
> {
  const { rows } = await sql<{ id: number; runId: number; clusterId: number; profile: string }>`
    SELECT t.id, t.run_id AS "runId", t.cluster_id AS "clusterId", r.profile FROM benchmark_target t
    JOIN benchmark_run r ON r.id = t.run_id
    WHERE t.cluster_id IS NOT NULL AND t.state = 'queued' ORDER BY t.id FOR UPDATE OF t SKIP LOCKED`.execute(db);
  return rows;
}

/** A target that could not be judged. @returns its run */
export async function failTarget(
  db: TenantQueries,
  uid: string,
  nodeId: number,
  failed: { readonly detail: string; readonly now: Date },
): Promise<number | undefined> {
  const { rows } = await sql<{ runId: number }>`
    UPDATE benchmark_target SET state = 'failed', detail = ${failed.detail}, finished_at = ${failed.now}
    WHERE uid = ${uid} AND node_id = ${nodeId} AND state IN ('queued', 'sent') RETURNING run_id AS "runId"`.execute(db);
  return rows[0]?.runId;
}

/** Targets that were not heard of in time. @returns their runs */
export async function expireTargets(db: TenantQueries, now: Date): Promise<readonly number[]> {
  const { rows } = await sql<{ runId: number }>`
    UPDATE benchmark_target SET state = 'expired', finished_at = ${now},
      detail = CASE WHEN state = 'sent' THEN 'the node did not answer in time' ELSE 'the node was not connected in time' END
    WHERE state IN ('queued', 'sent') AND node_id IS NOT NULL AND expires_at <= ${now} RETURNING run_id AS "runId"`.execute(
    db,
  );
  return [...new Set(rows.map(({ runId }) => runId))];
}

/** What one check found at a target. */
export interface NewBenchmarkResult {
  readonly check: string;
  readonly subject: string;
  readonly severity: string;
  readonly outcome: "pass" | "fail" | "manual" | "not-applicable" | "undetermined";
  readonly evidence: string;
  readonly judged: number;
  readonly faulty: number;
  readonly places: readonly unknown[];
  readonly exceptionId: number | null;
}

/** Keeps what came of a target; older results of the place go. */
export async function settleTarget(
  db: TenantQueries,
  id: number,
  judged: {
    readonly results: readonly NewBenchmarkResult[];
    readonly score: number | null;
    readonly counts: unknown;
    /** Kept until there are newer ones; undefined leaves what is there. */
    readonly facts?: unknown;
    readonly wallUs?: number | undefined;
    readonly cpuUs?: number | undefined;
    readonly now: Date;
  },
): Promise<void> {
  const facts = judged.facts === undefined ? null : jsonText(judged.facts);
  const { rows } = await sql<{ nodeId: number | null; clusterId: number | null }>`
    UPDATE benchmark_target SET state = 'done', stale = false, score = ${judged.score}, counts = ${jsonText(judged.counts)}::jsonb,
      facts = coalesce(${facts}::jsonb, facts), wall_us = coalesce(${judged.wallUs ?? null}, wall_us),
      cpu_us = coalesce(${judged.cpuUs ?? null}, cpu_us), finished_at = coalesce(finished_at, ${judged.now})
    WHERE id = ${id} RETURNING node_id AS "nodeId", cluster_id AS "clusterId"`.execute(db);
  const place = rows[0];
  if (place === undefined) return;
  await sql`DELETE FROM benchmark_result WHERE target_id = ${id}`.execute(db);
  await sql`
    INSERT INTO benchmark_result (tenant_id, target_id, check_id, subject, severity, outcome, evidence, judged, faulty, places, exception_id)
    SELECT current_tenant(), ${id}, f->>'check', f->>'subject', f->>'severity', f->>'outcome', f->>'evidence', (f->>'judged')::int,
      (f->>'faulty')::int, f->'places', (f->>'exceptionId')::bigint FROM jsonb_array_elements(${jsonText(judged.results)}::jsonb) AS f`.execute(
    db,
  );
  const same = sql`(t.node_id = ${place.nodeId} OR t.cluster_id = ${place.clusterId})`;
  await sql`UPDATE benchmark_target t SET facts = NULL WHERE ${same} AND t.id < ${id} AND t.facts IS NOT NULL`.execute(
    db,
  );
  await sql`DELETE FROM benchmark_result WHERE target_id IN (
    SELECT t.id FROM benchmark_target t WHERE ${same} ORDER BY t.id DESC OFFSET ${KEPT_RESULTS})`.execute(db);
  await sql`DELETE FROM benchmark_target WHERE id IN (
    SELECT t.id FROM benchmark_target t WHERE ${same} ORDER BY t.id DESC OFFSET ${KEPT_TARGETS})`.execute(db);
}

/** Facts of the newest target of each node that has any, so that they can be judged again. */
export async function newestFacts(
  db: TenantQueries,
  nodeId: number,
): Promise<{ readonly id: number; readonly profile: string; readonly facts: unknown } | undefined> {
  const { rows } = await sql<{ id: number; profile: string; facts: unknown }>`
    SELECT t.id, r.profile, t.facts FROM benchmark_target t JOIN benchmark_run r ON r.id = t.run_id
    WHERE t.node_id = ${nodeId} AND t.facts IS NOT NULL ORDER BY t.id DESC LIMIT 1`.execute(db);
  return rows[0];
}

/** Newest targets of places are to be judged again: one place, all clusters, or all. */
export async function markStale(
  db: TenantQueries,
  place: { readonly nodeId?: number | null; readonly clusterId?: number | null; readonly clusters?: boolean },
): Promise<void> {
  const { nodeId = null, clusterId = null, clusters = false } = place;
  const isAll = nodeId === null && clusterId === null && !clusters;
  await sql`UPDATE benchmark_target SET stale = true WHERE id IN (
    SELECT DISTINCT ON (node_id, cluster_id) id FROM benchmark_target WHERE state = 'done'
      AND (${isAll} OR node_id = ${nodeId} OR cluster_id = ${clusterId} OR (${clusters} AND cluster_id IS NOT NULL))
    ORDER BY node_id, cluster_id, id DESC)`.execute(db);
}

/** Places whose newest target is to be judged again. */
export async function stalePlaces(
  db: TenantQueries,
  limit: number,
): Promise<readonly { readonly nodeId: number | null; readonly clusterId: number | null }[]> {
  const { rows } = await sql<{ nodeId: number | null; clusterId: number | null }>`
    SELECT node_id AS "nodeId", cluster_id AS "clusterId" FROM benchmark_target WHERE stale
    ORDER BY id LIMIT ${limit} FOR UPDATE SKIP LOCKED`.execute(db);
  return rows;
}

/** What is stale and cannot be judged again, since nothing is known of it any more. */
export async function unmarkStale(
  db: TenantQueries,
  place: { readonly nodeId: number | null; readonly clusterId: number | null },
): Promise<void> {
  await sql`UPDATE benchmark_target SET stale = false
    WHERE stale AND (node_id = ${place.nodeId} OR cluster_id = ${place.clusterId})`.execute(db);
}
