import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

export type BaselineState = "learning" | "proposed" | "active" | "retired";

/** Of which pods a baseline is: of a namespace, of a label, or of both. */
export interface NewBaseline {
  readonly clusterId: number;
  /** Empty for all. */
  readonly namespace: string;
  /** Empty for pods of any label. */
  readonly labelName: string;
  readonly labelValue: string;
}

/** What a scope of pods was seen to be, and what became of that. */
export interface Baseline extends NewBaseline {
  readonly id: number;
  readonly cluster: string;
  readonly state: BaselineState;
  readonly startedBy: string;
  readonly startedAt: string;
  readonly learnUntil: string;
  readonly lookedAt: string | null;
  readonly countedAt: string | null;
  /** The most at once. */
  readonly pods: number;
  /** Pods, when they were counted last, from which nothing was learned. */
  readonly excluded: number;
  /** Some of their workloads. */
  readonly excludedWorkloads: readonly string[];
  /** Kinds of which more was seen than is kept. */
  readonly tooMany: readonly string[];
  /** Why nothing is learned now; empty where it is. */
  readonly problem: string;
  /** The policy of admission that holds for it; empty where none does. */
  readonly policy: string;
  readonly approvedBy: string;
  readonly approvedAt: string | null;
  readonly retiredBy: string;
  readonly retiredAt: string | null;
}

const time = (column: string) => sql`to_json(${sql.ref(`b.${column}`)})#>>'{}'`;

const BASELINE = sql`b.id, b.cluster_id AS "clusterId", k.name AS cluster, b.namespace, b.label_name AS "labelName",
  b.label_value AS "labelValue", b.state, b.started_by AS "startedBy", ${time("started_at")} AS "startedAt",
  ${time("learn_until")} AS "learnUntil", ${time("looked_at")} AS "lookedAt", ${time("counted_at")} AS "countedAt", b.pods, b.excluded,
  b.excluded_workloads AS "excludedWorkloads", b.too_many AS "tooMany", b.problem, b.policy, b.approved_by AS "approvedBy",
  ${time("approved_at")} AS "approvedAt", b.retired_by AS "retiredBy", ${time("retired_at")} AS "retiredAt"`;

/** @returns undefined where the scope has a baseline already, or the cluster is none */
export async function addBaseline(
  db: TenantQueries,
  made: NewBaseline & { readonly by: string; readonly now: Date; readonly until: Date },
): Promise<Baseline | undefined> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO admission_baseline (tenant_id, cluster_id, namespace, label_name, label_value, state, started_by, started_at, learn_until)
    SELECT current_tenant(), k.id, ${made.namespace}, ${made.labelName}, ${made.labelValue}, 'learning', ${made.by}, ${made.now}, ${made.until}
    FROM cluster k WHERE k.id = ${made.clusterId} AND k.removed_at IS NULL
    ON CONFLICT (tenant_id, cluster_id, namespace, label_name, label_value) WHERE state <> 'retired' DO NOTHING RETURNING id`.execute(
    db,
  );
  const [row] = rows;
  return row === undefined ? undefined : getBaseline(db, row.id);
}

/** Baselines, the newest first. */
export async function listBaselines(
  db: TenantQueries,
  filter: {
    readonly states?: readonly BaselineState[] | undefined;
    readonly clusterId?: number | undefined;
    readonly before?: number | undefined;
    readonly limit: number;
  },
): Promise<readonly Baseline[]> {
  const { states, clusterId, before, limit } = filter;
  const { rows } = await sql<Baseline>`
    SELECT ${BASELINE} FROM admission_baseline b JOIN cluster k ON k.id = b.cluster_id
    WHERE ${states === undefined ? sql`true` : sql`b.state = ANY(${states}::text[])`}
      AND ${clusterId === undefined ? sql`true` : sql`b.cluster_id = ${clusterId}`}
      AND ${before === undefined ? sql`true` : sql`b.id < ${before}`}
    ORDER BY b.id DESC LIMIT ${limit}`.execute(db);
  return rows;
}

export async function getBaseline(db: TenantQueries, id: number): Promise<Baseline | undefined> {
  const { rows } = await sql<Baseline>`
    SELECT ${BASELINE} FROM admission_baseline b JOIN cluster k ON k.id = b.cluster_id WHERE b.id = ${id}`.execute(db);
  return rows[0];
}

/** How many baselines are not retired. */
export async function countBaselines(db: TenantQueries): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::int AS count FROM admission_baseline WHERE state <> 'retired'`.execute(db);
  return rows[0]?.count ?? 0;
}

/**
 * Brings a baseline into its next state.
 *
 * @returns false where it is in none of those that it may come from
 */
export async function moveBaseline(
  db: TenantQueries,
  id: number,
  move: {
    readonly from: readonly BaselineState[];
    readonly to: BaselineState;
    readonly by: string;
    readonly now: Date;
    readonly policy?: string;
  },
): Promise<boolean> {
  const { from, to, by, now, policy = "" } = move;
  const told = {
    learning: sql``,
    proposed: sql``,
    active: sql`, approved_by = ${by}, approved_at = ${now}, policy = ${policy}`,
    retired: sql`, retired_by = ${by}, retired_at = ${now}`,
  }[to];
  const { rows } = await sql`UPDATE admission_baseline SET state = ${to}${told}
    WHERE id = ${id} AND state = ANY(${from}::text[]) RETURNING id`.execute(db);
  return rows.length > 0;
}

/** Lets a baseline learn no longer than until now: whoever looks at it next ends it. */
export async function endLearning(db: TenantQueries, id: number, now: Date): Promise<void> {
  await sql`UPDATE admission_baseline SET learn_until = ${now} WHERE id = ${id} AND state = 'learning'`.execute(db);
}

/** A pod to learn from. */
export interface LearnablePod {
  readonly id: number;
  readonly namespace: string;
  readonly name: string;
  readonly workloadKind: string;
  readonly workloadName: string;
  readonly document: Readonly<Record<string, unknown>>;
}

/**
 * Pods of a scope that run or ran, by id.
 *
 * @returns `last`: the id to go on after; undefined where there are no more
 */
export async function podsToLearn(
  db: TenantQueries,
  scope: NewBaseline,
  page: { readonly after: number; readonly since: Date | null; readonly limit: number },
): Promise<{ readonly pods: readonly LearnablePod[]; readonly last: number | undefined }> {
  const { clusterId, namespace, labelName, labelValue } = scope;
  const fits = labelName === "" ? sql`true` : sql`o.document->'metadata'->'labels'->>${labelName} = ${labelValue}`;
  // First the page, then what belongs to it, each by its index: the planner must not read all documents for a page.
  const { rows } = await sql<Omit<LearnablePod, "document"> & { document: LearnablePod["document"] | null }>`
    WITH page AS MATERIALIZED (
      SELECT p.id, p.uid, p.namespace, p.name, p.workload_id FROM pod p
      WHERE p.cluster_id = ${clusterId} AND p.phase IN ('Running', 'Succeeded') AND p.id > ${page.after}
        AND ${namespace === "" ? sql`true` : sql`p.namespace = ${namespace}`}
        AND ${page.since === null ? sql`true` : sql`p.seen_at >= ${page.since}`}
      ORDER BY p.id LIMIT ${page.limit}
    )
    SELECT p.id, p.namespace, p.name, w.kind AS "workloadKind", w.name AS "workloadName", o.document
    FROM page p JOIN workload w ON w.id = p.workload_id
      LEFT JOIN LATERAL (SELECT o.document FROM cluster_object o
        WHERE o.cluster_id = ${clusterId} AND o.uid = p.uid AND ${fits} OFFSET 0) o ON true
    ORDER BY p.id`.execute(db);
  const pods = rows.flatMap(({ document, ...pod }) => (document === null ? [] : [{ ...pod, document }]));
  return { pods, last: rows.length < page.limit ? undefined : rows.at(-1)?.id };
}

/** How many pods a scope has at most: labels are not looked at. Counts no further than `limit`. */
export async function roughlyCountPods(
  db: TenantQueries,
  { clusterId, namespace }: NewBaseline,
  limit: number,
): Promise<number> {
  const { rows } = await sql<{ count: number }>`SELECT count(*)::int AS count FROM (SELECT FROM pod p
    WHERE p.cluster_id = ${clusterId} AND ${namespace === "" ? sql`true` : sql`p.namespace = ${namespace}`} LIMIT ${limit}) AS found`.execute(
    db,
  );
  return rows[0]?.count ?? 0;
}

/** What is not to be learned from. */
export interface Doubt {
  readonly namespace: string;
  /** `Deployment web`; empty where the workload is not known. */
  readonly workload: string;
  /** Of a pod, of what makes pods, or what a pod's name begins with. */
  readonly name: string;
}

/**
 * What raised alerts that nobody allowed, and what break-glass let in. Alerts that are open count however old they are, others since a
 * time.
 *
 * @returns one more than `limit` where there are more
 */
export async function doubtsOf(
  db: TenantQueries,
  clusterId: number,
  { since, limit }: { readonly since: Date; readonly limit: number },
): Promise<readonly Doubt[]> {
  const { rows } = await sql<Doubt>`
    SELECT DISTINCT coalesce(w.namespace, a.namespace) AS namespace, coalesce(w.kind || ' ' || w.name, '') AS workload,
      CASE WHEN a.pod <> '' THEN a.pod ELSE coalesce(a.facts#>>'{audit,objectRef,name}', '') END AS name
    FROM alert a LEFT JOIN workload w ON w.id = a.workload_id
    WHERE a.cluster_id = ${clusterId} AND a.state <> 'allowed' AND (a.state IN ('open', 'acknowledged') OR a.last_at >= ${since})
    UNION SELECT d.namespace, '', d.name FROM admission_decision d
    WHERE d.cluster_id = ${clusterId} AND d.verdict = 'broken-glass' AND NOT d.dry_run AND d.last_at >= ${since}
    LIMIT ${limit + 1}`.execute(db);
  return rows;
}
