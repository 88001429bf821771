import { sql } from "kysely";
import { jsonText } from "../json-text.ts";
import type { TenantQueries } from "../open-store.ts";

/** Something that pods of a scope were seen to be or have. */
export interface SeenValue {
  readonly kind: string;
  readonly value: string;
  /** That had it at once. */
  readonly pods: number;
  /** Some of the workloads that it was seen in: `Deployment shop/web`. */
  readonly sources: readonly string[];
  /** There were others. */
  readonly more: boolean;
}

export interface BaselineValue extends SeenValue {
  readonly firstSeen: string;
  readonly lastSeen: string;
}

/** What one look at a scope's pods came to. */
export interface Sighting {
  readonly values: readonly SeenValue[];
  /** Of each kind so many are kept; of a kind with more it is noted that there were too many. */
  readonly mostOf: (kind: string) => number;
  /** Of each value so many workloads are kept. */
  readonly sources: number;
  /** Workloads from which nothing is to be learned any more. */
  readonly doubted: readonly string[];
  /** Kinds of which the look itself saw more than it kept. */
  readonly tooMany: readonly string[];
  /** Pods, and those from which nothing was learned; null where not all were looked at. */
  readonly counted: { readonly pods: number; readonly excluded: number; readonly workloads: readonly string[] } | null;
  readonly problem: string;
  /** When the look began. */
  readonly at: Date;
}

/** What a baseline has seen, by kind and value. */
export async function baselineValues(db: TenantQueries, id: number): Promise<readonly BaselineValue[]> {
  const { rows } = await sql<BaselineValue>`
    SELECT kind, value, pods, sources, more, to_json(first_seen)#>>'{}' AS "firstSeen", to_json(last_seen)#>>'{}' AS "lastSeen"
    FROM admission_baseline_value WHERE baseline_id = ${id} ORDER BY kind, value`.execute(db);
  return rows;
}

/**
 * Keeps what a look saw. Counts are the most at once, so that looking twice counts nothing twice; what was seen only in workloads that are
 * doubted is forgotten.
 *
 * @returns false where the baseline does not learn any more
 */
export async function keepSighting(db: TenantQueries, id: number, sighting: Sighting): Promise<boolean> {
  const { rows } = await sql<{ tooMany: readonly string[] }>`
    SELECT too_many AS "tooMany" FROM admission_baseline WHERE id = ${id} AND state = 'learning' FOR UPDATE`.execute(
    db,
  );
  const [kept] = rows;
  if (kept === undefined) return false;
  const { fitting, tooMany } = await fit(db, id, sighting);
  await sql`
    INSERT INTO admission_baseline_value AS v (tenant_id, baseline_id, kind, value, pods, sources, more, first_seen, last_seen)
    SELECT current_tenant(), ${id}, f->>'kind', f->>'value', (f->>'pods')::int, ARRAY(SELECT jsonb_array_elements_text(f->'sources')),
      (f->>'more')::boolean, ${sighting.at}, ${sighting.at} FROM jsonb_array_elements(${jsonText(fitting)}::jsonb) AS f
    ON CONFLICT (baseline_id, kind, value) DO UPDATE SET pods = greatest(v.pods, excluded.pods), last_seen = excluded.last_seen,
      sources = ARRAY(SELECT DISTINCT s FROM unnest(v.sources || excluded.sources) AS s ORDER BY s LIMIT ${sighting.sources}),
      more = v.more OR excluded.more
        OR (SELECT count(DISTINCT s) FROM unnest(v.sources || excluded.sources) AS s) > ${sighting.sources}`.execute(
    db,
  );
  await unlearn(db, id, sighting.doubted);
  const { counted } = sighting;
  const all = [...new Set([...kept.tooMany, ...sighting.tooMany, ...tooMany])].toSorted();
  await sql`
    UPDATE admission_baseline SET looked_at = ${sighting.at}, problem = ${sighting.problem}, too_many = ${all}::text[],
      counted_at = CASE WHEN ${counted !== null} THEN ${sighting.at}::timestamptz ELSE counted_at END,
      pods = greatest(pods, ${counted?.pods ?? 0}), excluded = ${counted === null ? sql`excluded` : counted.excluded},
      excluded_workloads = ${counted === null ? sql`excluded_workloads` : sql`${counted.workloads}::text[]`}
    WHERE id = ${id}`.execute(db);
  return true;
}

/** Values that there is room for beside those that are kept. */
async function fit(db: TenantQueries, id: number, { values, mostOf }: Sighting) {
  const { rows } = await sql<{ kind: string; values: readonly string[] }>`
    SELECT kind, array_agg(value) AS values FROM admission_baseline_value WHERE baseline_id = ${id} GROUP BY kind`.execute(
    db,
  );
  const known = new Map(rows.map((row) => [row.kind, new Set(row.values)]));
  const tooMany = new Set<string>();
  const fitting = values.filter(({ kind, value }) => {
    const ofKind = known.get(kind) ?? new Set();
    known.set(kind, ofKind);
    if (!ofKind.has(value) && ofKind.size >= mostOf(kind)) {
      tooMany.add(kind);
      return false;
    }
    ofKind.add(value);
    return true;
  });
  return { fitting, tooMany };
}

async function unlearn(db: TenantQueries, id: number, doubted: readonly string[]): Promise<void> {
  if (doubted.length === 0) return;
  await sql`
    UPDATE admission_baseline_value SET sources = ARRAY(SELECT s FROM unnest(sources) AS s WHERE s <> ALL(${doubted}::text[]))
    WHERE baseline_id = ${id} AND sources && ${doubted}::text[]`.execute(db);
  await sql`DELETE FROM admission_baseline_value WHERE baseline_id = ${id} AND sources = '{}' AND NOT more`.execute(db);
}

/** Policies that objects of a namespace broke since a time, and were let in all the same: what is enforced of them would deny. */
export async function brokenPolicies(
  db: TenantQueries,
  where: { readonly clusterId: number; readonly namespace: string; readonly since: Date },
): Promise<readonly string[]> {
  const { rows } = await sql<{ policy: string }>`
    SELECT DISTINCT v->>'policy' AS policy FROM admission_decision d, jsonb_array_elements(d.violations) AS v
    WHERE d.cluster_id = ${where.clusterId} AND d.namespace = ${where.namespace} AND d.last_at >= ${where.since}
      AND d.verdict IN ('allowed', 'audited') AND NOT d.dry_run ORDER BY 1`.execute(db);
  return rows.map(({ policy }) => policy);
}
