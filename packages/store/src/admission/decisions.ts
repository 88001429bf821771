import { sql } from "kysely";
import { jsonText } from "../json-text.ts";
import type { TenantQueries } from "../open-store.ts";

const HOUR_MS = 3_600_000;

/** A rule that an object broke. */
export interface DecidedViolation {
  readonly policy: string;
  readonly rule: string;
  readonly mode: string;
  readonly message: string;
  readonly container: string;
  readonly image: string;
  /** Empty where no exception took it out. */
  readonly exception: string;
}

/** What a replica decided, once or often. */
export interface NewDecision {
  /** RFC 3339. */
  readonly firstAt: string;
  readonly lastAt: string;
  readonly count: number;
  readonly namespace: string;
  readonly kind: string;
  /** Name, or what names are generated from. */
  readonly name: string;
  readonly subResource: string;
  readonly operation: string;
  readonly user: string;
  readonly dryRun: boolean;
  readonly verdict: string;
  /** It would have been denied if every policy were enforced. */
  readonly wouldDeny: boolean;
  readonly violations: readonly DecidedViolation[];
  /** Violations beyond those that are kept. */
  readonly more: number;
  /** The break-glass that let it pass; empty for none. */
  readonly grant: string;
  readonly asked: readonly string[];
  /** Images of which nothing was known. */
  readonly unknown: readonly string[];
  /** Longest time that one of them took, waiting included. */
  readonly tookMs: number;
}

/** The same, as it is kept. */
export interface StoredDecision extends Omit<NewDecision, "asked"> {
  readonly id: number;
  readonly cluster: { readonly id: number; readonly name: string } | null;
}

/**
 * Keeps a batch of decisions: the same ones of an hour are one row, and each policy's counts grow. A batch that was kept
 * before, and comes again because its acknowledgement was lost, changes nothing.
 *
 * @param batch.folds what makes two decisions the same, one for each
 * @returns whether the batch was new
 */
export async function keepDecisions(
  db: TenantQueries,
  clusterId: number,
  batch: {
    readonly epoch: string;
    readonly sequence: number;
    readonly decisions: readonly NewDecision[];
    readonly folds: readonly string[];
    readonly dropped: number;
    readonly now: Date;
  },
): Promise<boolean> {
  const { epoch, sequence, decisions, folds, dropped, now } = batch;
  const entered = await sql`
    INSERT INTO admission_spool AS s (tenant_id, cluster_id, epoch, sequence, at)
    VALUES (current_tenant(), ${clusterId}, ${epoch}, ${sequence}, ${now})
    ON CONFLICT (cluster_id, epoch) DO UPDATE SET sequence = excluded.sequence, at = excluded.at
    WHERE s.sequence < excluded.sequence RETURNING sequence`.execute(db);
  if (entered.rows.length === 0) return false;
  if (dropped > 0)
    await sql`INSERT INTO admission_state AS s (tenant_id, dropped) VALUES (current_tenant(), ${dropped})
      ON CONFLICT (tenant_id) DO UPDATE SET dropped = s.dropped + excluded.dropped`.execute(db);
  const rows = decisions.map((decision, at) => ({
    ...decision,
    fold: `${hourOf(decision.lastAt)} ${folds[at] ?? ""}`,
  }));
  for (const row of merged(rows)) await keepOne(db, clusterId, row);
  await count(db, decisions);
  await useGrants(db, decisions);
  return true;
}

type Folded = NewDecision & { readonly fold: string };

function hourOf(at: string): number {
  return Math.floor(Date.parse(at) / HOUR_MS);
}

/** Rows of one statement must not touch the same row twice, and one row is cheaper than two. */
function merged(rows: readonly Folded[]): readonly Folded[] {
  const byFold = new Map<string, Folded>();
  for (const row of rows) {
    const same = byFold.get(row.fold);
    const tookMs = Math.max(row.tookMs, same?.tookMs ?? 0);
    byFold.set(
      row.fold,
      same === undefined ? row : { ...same, count: same.count + row.count, lastAt: row.lastAt, tookMs },
    );
  }
  return [...byFold.values()].sort((one, other) => (one.fold < other.fold ? -1 : 1));
}

async function keepOne(db: TenantQueries, clusterId: number, row: Folded): Promise<void> {
  const { namespace, kind, name, subResource, operation, user, dryRun, verdict, wouldDeny, more, grant } = row;
  await sql`
    INSERT INTO admission_decision AS d (tenant_id, cluster_id, fold, first_at, last_at, count, namespace, kind, name, subresource,
      operation, user_name, dry_run, verdict, would_deny, violations, more, grant_id, unknown, took_ms)
    VALUES (current_tenant(), ${clusterId}, ${row.fold}, ${row.firstAt}::timestamptz, ${row.lastAt}::timestamptz, ${row.count}, ${namespace},
      ${kind}, ${name}, ${subResource}, ${operation}, ${user}, ${dryRun}, ${verdict}, ${wouldDeny}, ${jsonText(row.violations)}::jsonb,
      ${more}, ${grant}, ${[...row.unknown]}::text[], ${Math.round(row.tookMs)})
    ON CONFLICT (cluster_id, fold) DO UPDATE SET count = d.count + excluded.count, last_at = greatest(d.last_at, excluded.last_at),
      took_ms = greatest(d.took_ms, excluded.took_ms), violations = excluded.violations`.execute(db);
}

interface Tally {
  readonly policy: string;
  readonly namespace: string;
  readonly day: string;
  asked: number;
  wouldDeny: number;
  denied: number;
  excepted: number;
}

/** What policies asked and what came of it. Dry runs change nothing in a cluster, and are not counted. */
async function count(db: TenantQueries, decisions: readonly NewDecision[]): Promise<void> {
  const tallies = new Map<string, Tally>();
  const tallyOf = (policy: string, namespace: string, day: string): Tally => {
    const key = JSON.stringify([policy, namespace, day]);
    const made = tallies.get(key) ?? { policy, namespace, day, asked: 0, wouldDeny: 0, denied: 0, excepted: 0 };
    tallies.set(key, made);
    return made;
  };
  for (const { dryRun, asked, namespace, lastAt, count: times, violations } of decisions) {
    if (dryRun) continue;
    const day = lastAt.slice(0, 10);
    for (const policy of asked) tallyOf(policy, namespace, day).asked += times;
    for (const policy of new Set(violations.map((each) => each.policy))) {
      const own = violations.filter((each) => each.policy === policy);
      const tally = tallyOf(policy, namespace, day);
      if (own.some(({ exception, mode }) => exception === "" && mode !== "audit")) tally.denied += times;
      else if (own.some(({ exception }) => exception === "")) tally.wouldDeny += times;
      else tally.excepted += times;
    }
  }
  if (tallies.size === 0) return;
  const sorted = [...tallies].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, tally]) => tally);
  await sql`
    INSERT INTO admission_count AS c (tenant_id, policy, namespace, day, asked, would_deny, denied, excepted)
    SELECT current_tenant(), policy, namespace, day, asked, "wouldDeny", denied, excepted FROM jsonb_to_recordset(${jsonText(sorted)}::jsonb)
      AS t(policy text, namespace text, day date, asked bigint, "wouldDeny" bigint, denied bigint, excepted bigint)
    ON CONFLICT (tenant_id, policy, namespace, day) DO UPDATE SET asked = c.asked + excluded.asked,
      would_deny = c.would_deny + excluded.would_deny, denied = c.denied + excluded.denied, excepted = c.excepted + excluded.excepted`.execute(
    db,
  );
}

async function useGrants(db: TenantQueries, decisions: readonly NewDecision[]): Promise<void> {
  for (const { grant, count: times, lastAt } of decisions) {
    if (!/^\d{1,15}$/.test(grant)) continue;
    await sql`UPDATE admission_grant SET used = used + ${times}, last_used_at = greatest(last_used_at, ${lastAt}::timestamptz)
      WHERE id = ${Number(grant)}`.execute(db);
  }
}

export interface DecisionFilter {
  readonly verdicts?: readonly string[];
  readonly policy?: string;
  readonly namespace?: string;
  readonly cluster?: number;
  readonly wouldDeny?: boolean;
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Decisions, the newest first. */
export async function listDecisions(db: TenantQueries, filter: DecisionFilter): Promise<readonly StoredDecision[]> {
  const { verdicts = [], policy, namespace, cluster, wouldDeny, before, limit } = filter;
  const broken = policy === undefined ? null : jsonText([{ policy }]);
  const { rows } = await sql<StoredDecision>`
    SELECT d.id, (SELECT jsonb_build_object('id', c.id, 'name', c.name) FROM cluster c WHERE c.id = d.cluster_id) AS cluster,
      to_json(d.first_at)#>>'{}' AS "firstAt", to_json(d.last_at)#>>'{}' AS "lastAt", d.count, d.namespace, d.kind, d.name,
      d.subresource AS "subResource", d.operation, d.user_name AS "user", d.dry_run AS "dryRun", d.verdict,
      d.would_deny AS "wouldDeny", d.violations, d.more, d.grant_id AS "grant", d.unknown, d.took_ms AS "tookMs"
    FROM admission_decision d
    WHERE (${verdicts.length === 0} OR d.verdict = ANY(${[...verdicts]}::text[]))
      AND (${broken}::jsonb IS NULL OR d.violations @> ${broken}::jsonb)
      AND (${namespace ?? null}::text IS NULL OR d.namespace = ${namespace ?? null})
      AND (${cluster ?? null}::bigint IS NULL OR d.cluster_id = ${cluster ?? null})
      AND (${wouldDeny !== true} OR d.would_deny) AND (${before ?? null}::bigint IS NULL OR d.id < ${before ?? null})
    ORDER BY d.id DESC LIMIT ${limit}`.execute(db);
  return rows;
}

/** Forgets decisions that were not seen since; their counts stay. */
export async function forgetDecisions(db: TenantQueries, before: Date): Promise<void> {
  await sql`DELETE FROM admission_decision WHERE last_at < ${before}`.execute(db);
  await sql`DELETE FROM admission_spool WHERE at < ${before}`.execute(db);
}
