import { type RawBuilder, sql } from "kysely";
import type { Sight } from "../images/visible.ts";
import type { TenantQueries } from "../open-store.ts";

/** Fixes that the mean is over. */
const MEAN_DAYS = 90;
const MAX_RULES = 20;

/** Images of one owner that were first seen in one ISO week. */
interface IncrementWeek {
  /** `2026-W07`. */
  readonly week: string;
  readonly owner: { readonly id: number; readonly name: string } | null;
  readonly images: number;
  readonly passed: number;
  readonly failed: number;
  /** Not assessed yet. */
  readonly waiting: number;
}

export interface Increment {
  readonly weeks: readonly IncrementWeek[];
  /** Rules that new images break, the most broken first. */
  readonly rules: readonly { readonly rule: string; readonly level: string; readonly images: number }[];
}

/** Images with their nearest owner and assessment, as far as they may be seen. */
function assessed(sight: Sight, since?: Date): RawBuilder<unknown> {
  return sql`
    SELECT i.id, i.first_seen, coalesce(i.owner_id, place.owner_id) AS owner_id, a.passed, a.violations, a.base_state
    FROM image i LEFT JOIN image_assessment a ON a.image_id = i.id
      LEFT JOIN LATERAL (SELECT min(coalesce(r.owner_id, g.owner_id)) AS owner_id FROM image_location l
        JOIN repository r ON r.id = l.repository_id JOIN registry g ON g.id = r.registry_id
        WHERE l.image_id = i.id AND l.gone_at IS NULL) place ON true
    WHERE i.state = 'scanned' AND ${since === undefined ? sql`true` : sql`i.first_seen >= ${since}`}
      AND ${sight === undefined ? sql`true` : sql`coalesce(i.owner_id, place.owner_id) = ANY(${sight}::bigint[])`}`;
}

/** New images against the rules: the pass rate of each owner and week. */
export async function increment(db: TenantQueries, since: Date, sight: Sight): Promise<Increment> {
  const weeks = await sql<IncrementWeek>`
    SELECT to_char(n.first_seen, 'IYYY-"W"IW') AS week,
      CASE WHEN o.id IS NULL THEN NULL ELSE jsonb_build_object('id', o.id, 'name', o.name) END AS owner, count(*) AS images,
      count(*) FILTER (WHERE n.passed) AS passed, count(*) FILTER (WHERE NOT n.passed) AS failed,
      count(*) FILTER (WHERE n.passed IS NULL) AS waiting
    FROM (${assessed(sight, since)}) n LEFT JOIN owner o ON o.id = n.owner_id
    GROUP BY 1, o.id, o.name ORDER BY 1, o.name NULLS LAST`.execute(db);
  const rules = await sql<Increment["rules"][number]>`
    SELECT v->>'rule' AS rule, v->>'level' AS level, count(*) AS images
    FROM (${assessed(sight, since)}) n CROSS JOIN LATERAL jsonb_array_elements(n.violations) v
    GROUP BY 1, 2 ORDER BY 2, 3 DESC, 1 LIMIT ${MAX_RULES}`.execute(db);
  return { weeks: weeks.rows, rules: rules.rows };
}

/** One day of the old risk burning down. */
export interface StockDay {
  readonly day: string;
  /** Risks of the stock that are open at the end of the day. */
  readonly open: number;
  readonly critical: number;
  readonly fixed: number;
  /** Risks that came after the stock was taken, open at the end of the day. */
  readonly newer: number;
  /** Critical findings over all images that day; null where nobody counted. */
  readonly estateCritical: number | null;
}

/**
 * How the risks that were open on a day are closed, day by day. A risk that came back counts as open until it is fixed again.
 *
 * @param days from the first day to the last
 */
export async function stock(db: TenantQueries, since: Date, now: Date, sight: Sight): Promise<readonly StockDay[]> {
  const first = since.toISOString().slice(0, 10);
  const last = now.toISOString().slice(0, 10);
  const { rows } = await sql<StockDay>`
    WITH seen AS (
      SELECT k.first_seen::date AS came, CASE WHEN k.state = 'fixed' THEN k.fixed_at::date END AS went, k.severity
      FROM risk k JOIN repository r ON r.id = k.repository_id JOIN registry g ON g.id = r.registry_id
      WHERE ${sight === undefined ? sql`true` : sql`coalesce(r.owner_id, g.owner_id) = ANY(${sight}::bigint[])`}),
    moved AS (
      SELECT greatest(came, ${first}::date) AS day, came < ${first}::date AS is_old, 1 AS open,
        (severity = 'critical')::int AS critical, 0 AS fixed FROM seen WHERE went IS NULL OR went >= ${first}::date
      UNION ALL SELECT went, came < ${first}::date, -1, -(severity = 'critical')::int, 1 FROM seen WHERE went >= ${first}::date),
    daily AS (
      SELECT day, sum(open) FILTER (WHERE is_old) AS open, sum(critical) FILTER (WHERE is_old) AS critical,
        sum(fixed) FILTER (WHERE is_old) AS fixed, sum(open) FILTER (WHERE NOT is_old) AS newer FROM moved GROUP BY 1)
    SELECT to_char(d.day, 'YYYY-MM-DD') AS day, coalesce(sum(m.open) OVER w, 0)::int AS open, coalesce(sum(m.critical) OVER w, 0)::int AS critical,
      coalesce(m.fixed, 0) AS fixed, coalesce(sum(m.newer) OVER w, 0)::int AS newer, e.critical AS "estateCritical"
    FROM generate_series(${first}::date, ${last}::date, interval '1 day') AS d(day) LEFT JOIN daily m ON m.day = d.day::date
      LEFT JOIN estate_day e ON e.day = d.day::date AND ${sight === undefined}
    WINDOW w AS (ORDER BY d.day) ORDER BY d.day`.execute(db);
  return rows;
}

/** How one owner does. */
export interface TeamScore {
  readonly owner: { readonly id: number; readonly name: string } | null;
  readonly images: number;
  readonly assessed: number;
  readonly passed: number;
  /** Images whose base is golden. */
  readonly onGolden: number;
  readonly risksOwn: number;
  readonly risksBase: number;
  readonly overdue: number;
  readonly rebuildsOpen: number;
  /** Over what was fixed in the last 90 days; null for nothing. */
  readonly meanDaysToFix: number | null;
  readonly reopened: number;
}

/** The scoreboard: one row for each owner, those with most open risks first. */
export async function teamScores(db: TenantQueries, now: Date, sight: Sight): Promise<readonly TeamScore[]> {
  const { rows } = await sql<TeamScore>`
    WITH held AS (
      SELECT owner_id, count(*) AS images, count(passed) AS assessed, count(*) FILTER (WHERE passed) AS passed,
        count(*) FILTER (WHERE base_state = 'golden') AS golden FROM (${assessed(sight)}) n GROUP BY 1),
    risks AS (
      SELECT coalesce(r.owner_id, g.owner_id) AS owner_id,
        count(*) FILTER (WHERE k.state NOT IN ('fixed', 'accepted') AND k.verdict IS DISTINCT FROM 'base') AS own,
        count(*) FILTER (WHERE k.state NOT IN ('fixed', 'accepted') AND k.verdict = 'base') AS base,
        count(*) FILTER (WHERE k.state NOT IN ('fixed', 'accepted') AND k.due_at < ${now}) AS overdue,
        sum(k.reopened) AS reopened,
        avg(extract(epoch FROM k.fixed_at - k.first_seen) / 86400) FILTER (WHERE k.state = 'fixed'
          AND k.fixed_at > ${now}::timestamptz - make_interval(days => ${MEAN_DAYS})) AS days
      FROM risk k JOIN repository r ON r.id = k.repository_id JOIN registry g ON g.id = r.registry_id GROUP BY 1),
    rebuilds AS (
      SELECT coalesce(r.owner_id, g.owner_id) AS owner_id, count(*) AS open FROM rebuild_task t
        JOIN repository r ON r.id = t.repository_id JOIN registry g ON g.id = r.registry_id WHERE t.state = 'open' GROUP BY 1),
    everyone AS (SELECT owner_id FROM held UNION SELECT owner_id FROM risks)
    SELECT CASE WHEN o.id IS NULL THEN NULL ELSE jsonb_build_object('id', o.id, 'name', o.name) END AS owner,
      coalesce(h.images, 0) AS images, coalesce(h.assessed, 0) AS assessed, coalesce(h.passed, 0) AS passed,
      coalesce(h.golden, 0) AS "onGolden", coalesce(k.own, 0) AS "risksOwn", coalesce(k.base, 0) AS "risksBase",
      coalesce(k.overdue, 0) AS overdue, coalesce(b.open, 0) AS "rebuildsOpen", round(k.days::numeric, 1)::float8 AS "meanDaysToFix",
      coalesce(k.reopened, 0) AS reopened
    FROM everyone e LEFT JOIN owner o ON o.id = e.owner_id LEFT JOIN held h ON h.owner_id IS NOT DISTINCT FROM e.owner_id
      LEFT JOIN risks k ON k.owner_id IS NOT DISTINCT FROM e.owner_id
      LEFT JOIN rebuilds b ON b.owner_id IS NOT DISTINCT FROM e.owner_id
    WHERE ${sight === undefined ? sql`true` : sql`e.owner_id = ANY(${sight}::bigint[])`}
    ORDER BY coalesce(k.own, 0) + coalesce(k.base, 0) DESC, o.name NULLS LAST`.execute(db);
  return rows;
}
