import { SEVERITIES } from "@bulwark/model";
import { type RawBuilder, sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import { severityOrder } from "../severity-order.ts";
import type { NewBenchmarkResult } from "./runs.ts";

/** What one check found, where and when. */
export interface BenchmarkResult extends NewBenchmarkResult {
  readonly targetId: number;
  readonly nodeId: number | null;
  readonly clusterId: number | null;
  readonly place: string;
  readonly at: string;
}

/** How a node or a cluster stands, with its scores over time. */
export interface BenchmarkPlace {
  readonly nodeId: number | null;
  readonly clusterId: number | null;
  readonly name: string;
  readonly targetId: number;
  readonly profile: string;
  readonly score: number | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly judgedAt: string;
  /** Why a newer try gave nothing; empty where there is none. */
  readonly trouble: string;
  /** Oldest first. */
  readonly trend: readonly { readonly at: string; readonly score: number | null }[];
}

const TREND_POINTS = 30;

const NEWEST = sql`SELECT DISTINCT ON (t.node_id, t.cluster_id) t.* FROM benchmark_target t WHERE t.state = 'done'
  ORDER BY t.node_id, t.cluster_id, t.id DESC`;

/** All places that were judged, the worst first. */
export async function listBenchmarkPlaces(db: TenantQueries): Promise<readonly BenchmarkPlace[]> {
  const { rows } = await sql<BenchmarkPlace>`
    WITH newest AS (${NEWEST})
    SELECT t.node_id AS "nodeId", t.cluster_id AS "clusterId", coalesce(n.hostname, c.name) AS name, t.id AS "targetId", r.profile,
      t.score, t.counts, to_json(t.finished_at)#>>'{}' AS "judgedAt",
      coalesce((SELECT l.detail FROM benchmark_target l WHERE (l.node_id = t.node_id OR l.cluster_id = t.cluster_id) AND l.id > t.id
        AND l.state IN ('failed', 'expired') ORDER BY l.id DESC LIMIT 1), '') AS trouble,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('at', to_json(p.finished_at), 'score', p.score) ORDER BY p.id), '[]') FROM (
        SELECT id, finished_at, score FROM benchmark_target x WHERE x.state = 'done'
          AND (x.node_id = t.node_id OR x.cluster_id = t.cluster_id) ORDER BY id DESC LIMIT ${TREND_POINTS}) p) AS trend
    FROM newest t JOIN benchmark_run r ON r.id = t.run_id LEFT JOIN node n ON n.id = t.node_id LEFT JOIN cluster c ON c.id = t.cluster_id
    WHERE n.removed_at IS NULL AND c.removed_at IS NULL ORDER BY t.score NULLS FIRST, name`.execute(db);
  return rows;
}

/** Mean score of all places by day, oldest first. */
export async function benchmarkTrend(
  db: TenantQueries,
  since: Date,
): Promise<readonly { readonly day: string; readonly score: number; readonly places: number }[]> {
  const { rows } = await sql<{ day: string; score: number; places: number }>`
    SELECT day::text, floor(avg(score))::int AS score, count(*)::int AS places FROM (
      SELECT DISTINCT ON (finished_at::date, node_id, cluster_id) finished_at::date AS day, score FROM benchmark_target
      WHERE state = 'done' AND score IS NOT NULL AND finished_at >= ${since}
      ORDER BY finished_at::date, node_id, cluster_id, id DESC) d GROUP BY day ORDER BY day`.execute(db);
  return rows;
}

export interface ResultFilter {
  /** The newest results of every place where this is left out. */
  readonly targetId?: number | undefined;
  readonly check?: string | undefined;
  readonly checks?: readonly string[] | undefined;
  readonly outcomes?: readonly string[] | undefined;
  readonly severities?: readonly string[] | undefined;
  readonly subjects?: readonly string[] | undefined;
  /** Severity, target and check of the last row of the page before. */
  readonly after?: readonly [string, number, string] | undefined;
  readonly limit: number;
}

/** Results, the most severe first. */
export async function listBenchmarkResults(
  db: TenantQueries,
  filter: ResultFilter,
): Promise<readonly BenchmarkResult[]> {
  const found: RawBuilder<unknown>[] = [sql`true`];
  if (filter.check !== undefined) found.push(sql`b.check_id = ${filter.check}`);
  if (filter.checks !== undefined) found.push(sql`b.check_id = ANY(${filter.checks}::text[])`);
  if (filter.outcomes !== undefined) found.push(sql`b.outcome = ANY(${filter.outcomes}::text[])`);
  if (filter.subjects !== undefined) found.push(sql`b.subject = ANY(${filter.subjects}::text[])`);
  if (filter.severities !== undefined) found.push(sql`b.severity = ANY(${filter.severities}::text[])`);
  const order = severityOrder("b.severity");
  if (filter.after !== undefined) {
    const [severity, target, check] = filter.after;
    const rank = (SEVERITIES as readonly string[]).indexOf(severity) + 1;
    found.push(sql`(${order}, b.target_id, b.check_id) > (${rank}, ${target}, ${check})`);
  }
  const targets =
    filter.targetId === undefined ? NEWEST : sql`SELECT * FROM benchmark_target WHERE id = ${filter.targetId}`;
  const { rows } = await sql<BenchmarkResult>`
    SELECT b.target_id AS "targetId", t.node_id AS "nodeId", t.cluster_id AS "clusterId", coalesce(n.hostname, c.name) AS place,
      to_json(t.finished_at)#>>'{}' AS at, b.check_id AS check, b.subject, b.severity, b.outcome, b.evidence, b.judged, b.faulty,
      b.places, b.exception_id AS "exceptionId"
    FROM (${targets}) t JOIN benchmark_result b ON b.target_id = t.id LEFT JOIN node n ON n.id = t.node_id
      LEFT JOIN cluster c ON c.id = t.cluster_id
    WHERE n.removed_at IS NULL AND c.removed_at IS NULL AND ${sql.join(found, sql` AND `)}
    ORDER BY ${order}, b.target_id, b.check_id LIMIT ${filter.limit}`.execute(db);
  return rows;
}

/** At how many places each check had which outcome; what an exception covers is `excepted`. */
export async function countOutcomes(
  db: TenantQueries,
): Promise<readonly { readonly check: string; readonly outcome: string; readonly places: number }[]> {
  const { rows } = await sql<{ check: string; outcome: string; places: number }>`
    SELECT b.check_id AS check,
      CASE WHEN b.exception_id IS NOT NULL AND b.outcome IN ('fail', 'undetermined') THEN 'excepted' ELSE b.outcome END AS outcome,
      count(*)::int AS places
    FROM (${NEWEST}) t JOIN benchmark_result b ON b.target_id = t.id LEFT JOIN node n ON n.id = t.node_id
      LEFT JOIN cluster c ON c.id = t.cluster_id
    WHERE n.removed_at IS NULL AND c.removed_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2`.execute(db);
  return rows;
}
