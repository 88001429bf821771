import { sql } from "kysely";
import { announce } from "../jobs/events.ts";
import { giveNotice } from "../notifications/notices.ts";
import type { TenantQueries } from "../open-store.ts";
import { severityOrder } from "../severity-order.ts";
import { acceptWaived, acceptWaivedImages } from "../waivers/accept-waived.ts";
import { isInForce } from "../waivers/in-force.ts";

/** Days until a risk is due, by severity; for business grades there may be others. */
export interface DueDays {
  readonly critical: number;
  readonly high: number;
  readonly medium: number;
  /** For what is known to be exploited, whatever its severity. */
  readonly exploited: number;
  /** Factor by grade: `{ "critical": 0.5 }`. */
  readonly grades: Readonly<Record<string, number>>;
}

const DEFAULT_DUE: DueDays = { critical: 7, high: 30, medium: 90, exploited: 3, grades: { critical: 0.5, low: 2 } };
/** Tags of releases: what carries one was shipped (Semantic Versioning 2.0.0, with or without `v`). */
const RELEASE_TAG = "^v?[0-9]+\\.[0-9]+(\\.[0-9]+)?$";

/** Condition on a match `m`: it is severe enough for somebody to have to act. */
export const MAKES_RISK = sql<boolean>`(m.severity IN ('critical', 'high') OR m.exploited OR m.malicious)`;

/** What a refresh changed. */
export interface RefreshedRisks {
  readonly opened: readonly number[];
  readonly reopened: readonly number[];
  readonly fixed: readonly number[];
}

/**
 * Brings the risks of repositories up to date with what scans saw in their live images, those with a tag: what is new is
 * opened, what is there again is opened again, and what no scan sees any more is fixed. Nothing else closes a risk. A
 * repository of which an image waits for its scan closes nothing yet.
 *
 * Risks are made of flaws that are critical, high or exploited, of malware, and of secrets and settings from high on.
 */
export async function refreshRisks(
  db: TenantQueries,
  of: {
    readonly images?: readonly number[];
    readonly repositories?: readonly number[];
    /** Only risks of these vulnerabilities: all that a new state of advisories can have changed. */
    readonly vulnerabilities?: readonly string[];
  },
  now: Date,
): Promise<RefreshedRisks> {
  const only = of.vulnerabilities ?? null;
  await sql`CREATE TEMPORARY TABLE concerned ON COMMIT DROP AS
    SELECT DISTINCT repository_id FROM image_location WHERE image_id = ANY(${of.images ?? []}::bigint[])
    UNION SELECT id FROM repository WHERE id = ANY(${of.repositories ?? []}::bigint[])`.execute(db);
  await sql`CREATE TEMPORARY TABLE live ON COMMIT DROP AS
    SELECT t.repository_id, i.id AS image_id, i.state, bool_or(t.name ~ ${RELEASE_TAG}) AS is_released
    FROM concerned c JOIN tag t USING (repository_id) JOIN tag_image ti ON ti.tag_id = t.id JOIN image i ON i.id = ti.image_id
    WHERE t.gone_at IS NULL AND i.state <> 'gone' GROUP BY 1, 2, 3`.execute(db);
  await sql`ANALYZE live`.execute(db);
  await fillSeen(db, only, now);
  const opened = await openNew(db, now);
  const back = await reopenSeen(db, now);
  const fixed = await fixUnseen(db, only, now);
  const reopened = [...back, ...(await reopenUncovered(db, now))];
  await noteEvents(db, { opened, reopened, fixed }, now);
  const waived = new Set([
    ...(await acceptWaived(db, [...opened, ...reopened], now)),
    ...(await acceptWaivedImages(db, now)),
  ]);
  const unwaived = (ids: readonly number[]) => ids.filter((id) => !waived.has(id));
  await giveNotice(db, "risk.opened", { risks: unwaived(opened) }, now);
  await giveNotice(db, "risk.reopened", { risks: unwaived(reopened) }, now);
  await giveNotice(db, "risk.fixed", { risks: fixed }, now);
  await sql`DROP TABLE concerned, live, seen`.execute(db);
  const [changed] = [...opened, ...reopened, ...fixed];
  if (changed !== undefined) await announce(db, { topic: "risks", id: changed });
  return { opened, reopened, fixed };
}

/** Opens again what was accepted until a day that is over. */
export async function reopenExpired(db: TenantQueries, now: Date): Promise<void> {
  const { rows } = await sql<{ id: number }>`
    SELECT DISTINCT repository_id AS id FROM risk WHERE state = 'accepted' AND accept_until < ${now}::date`.execute(db);
  if (rows.length > 0) await refreshRisks(db, { repositories: rows.map(({ id }) => id) }, now);
}

/** Every finding of the live images that makes a risk, once for each repository. */
async function fillSeen(db: TenantQueries, only: readonly string[] | null, now: Date): Promise<void> {
  const meant = only === null ? sql`true` : sql`m.vulnerability_id = ANY(${only})`;
  const subjects =
    only === null ? sql`true` : sql`cs.subject_id IN (SELECT m.subject_id FROM subject_match m WHERE ${meant})`;
  await sql`CREATE TEMPORARY TABLE seen ON COMMIT DROP AS
    WITH subjects AS (
      SELECT l.repository_id, l.image_id, l.is_released, cs.subject_id
      FROM live l JOIN image_chain ic USING (image_id) JOIN chain_subject cs USING (chain_id)
      WHERE ${subjects} GROUP BY 1, 2, 3, 4, cs.from_depth HAVING sum(cs.delta) > 0),
    flaws AS (
      SELECT h.repository_id, m.vulnerability_id || ' ' || s.name AS key,
        CASE WHEN m.malicious THEN 'malware' ELSE 'vulnerability' END AS kind, m.vulnerability_id AS finding, m.severity,
        v.title, s.name AS package, '' AS path, m.fixed_version, m.exploited, h.image_id, h.is_released
      FROM subjects h JOIN subject_match m USING (subject_id) JOIN subject s ON s.id = h.subject_id
        JOIN vulnerability v ON v.id = m.vulnerability_id
      WHERE ${meant} AND ${MAKES_RISK}),
    facts AS (
      SELECT repository_id, image_id, is_released, fact_id FROM (
        SELECT l.repository_id, l.image_id, l.is_released, cc.fact_id, sum(cc.delta) AS held
        FROM live l JOIN image_chain ic USING (image_id) JOIN chain_content cc USING (chain_id) WHERE ${only === null}
        GROUP BY 1, 2, 3, 4, cc.from_depth) summed WHERE held > 0
      UNION SELECT l.repository_id, l.image_id, l.is_released, ic.fact_id FROM live l JOIN image_content ic USING (image_id)
      WHERE ${only === null}),
    content AS (
      SELECT h.repository_id, f.rule_id || ' ' || f.path || ' ' || f.fingerprint AS key, f.kind, f.rule_id AS finding, f.severity, f.title,
        '' AS package, f.path, '' AS fixed_version, false AS exploited, h.image_id, h.is_released
      FROM facts h JOIN content_fact f ON f.id = h.fact_id
      WHERE f.severity IN ('critical', 'high') OR f.kind IN ('malware', 'webshell')),
    waived AS (
      SELECT w.scope_id AS image_id, w.finding, w.path, max(w.until) AS until FROM waiver w
      WHERE w.scope = 'image' AND ${isInForce(now)} AND w.scope_id IN (SELECT image_id FROM live) GROUP BY 1, 2, 3)
    SELECT repository_id, key, min(kind) AS kind, min(finding) AS finding,
      (array_agg(severity ORDER BY ${severityOrder("severity")}))[1] AS severity,
      min(title) AS title, min(package) AS package, min(path) AS path, max(fixed_version) AS fixed_version,
      bool_or(exploited) AS exploited, count(DISTINCT image_id) AS images, bool_or(is_released) AS is_released,
      -- The day on which the first of its images is not waived any more; null where one is not waived at all.
      CASE WHEN bool_and(waived_until IS NOT NULL) THEN min(waived_until) END AS waived_until
    FROM (
      SELECT f.*, greatest(whole.until, part.until) AS waived_until FROM (SELECT * FROM flaws UNION ALL SELECT * FROM content) f
        LEFT JOIN waived whole ON whole.image_id = f.image_id AND whole.finding = f.finding AND whole.path = ''
        LEFT JOIN waived part ON part.image_id = f.image_id AND part.finding = f.finding AND part.path = f.path AND f.path <> ''
    ) found GROUP BY 1, 2`.execute(db);
}

async function openNew(db: TenantQueries, now: Date): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO risk (tenant_id, repository_id, key, kind, finding, severity, title, package, path, fixed_version, exploited,
      images, first_seen, due_at, released_at)
    SELECT current_tenant(), s.repository_id, s.key, s.kind, s.finding, s.severity, s.title, s.package, s.path, s.fixed_version,
      s.exploited, s.images, ${now}, ${now}::timestamptz + ${dueIn("s.severity", "s.exploited", "s.repository_id")},
      CASE WHEN s.is_released THEN ${now}::timestamptz END
    FROM seen s ON CONFLICT (repository_id, key) DO NOTHING RETURNING id`.execute(db);
  return rows.map(({ id }) => id);
}

/** What is there again after it was fixed. What stays is brought up to date. */
async function reopenSeen(db: TenantQueries, now: Date): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    UPDATE risk r SET state = 'reopened', reopened = r.reopened + 1, fixed_at = NULL, accept_until = NULL, approved_by = NULL,
      waiver_id = NULL, due_at = ${now}::timestamptz + ${dueIn("s.severity", "s.exploited", "s.repository_id")}
    FROM seen s WHERE r.repository_id = s.repository_id AND r.key = s.key AND r.state = 'fixed' RETURNING r.id`.execute(
    db,
  );
  await sql`
    UPDATE risk r SET images = s.images, severity = s.severity, fixed_version = s.fixed_version, exploited = s.exploited,
      released_at = coalesce(r.released_at, CASE WHEN s.is_released THEN ${now}::timestamptz END),
      due_at = least(r.due_at, CASE WHEN s.exploited AND NOT r.exploited
        THEN ${now}::timestamptz + ${dueIn("s.severity", "s.exploited", "s.repository_id")} END)
    FROM seen s WHERE r.repository_id = s.repository_id AND r.key = s.key
      AND (r.images, r.severity, r.fixed_version, r.exploited, r.released_at IS NOT NULL)
        IS DISTINCT FROM (s.images, s.severity, s.fixed_version, s.exploited, s.is_released OR r.released_at IS NOT NULL)`.execute(
    db,
  );
  return rows.map(({ id }) => id);
}

/** What was accepted and is not any more: its time ran out, or an image came that the waivers of its images leave out. */
async function reopenUncovered(db: TenantQueries, now: Date): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    UPDATE risk k SET state = 'reopened', reopened = k.reopened + 1, accept_until = NULL, approved_by = NULL, waiver_id = NULL,
      due_at = ${now}::timestamptz + ${dueIn("k.severity", "k.exploited", "k.repository_id")}
    FROM concerned c WHERE c.repository_id = k.repository_id AND k.state = 'accepted' AND (k.accept_until < ${now}::date
      OR (EXISTS (SELECT FROM waiver w WHERE w.id = k.waiver_id AND w.scope = 'image')
        AND EXISTS (SELECT FROM seen s WHERE s.repository_id = k.repository_id AND s.key = k.key AND s.waived_until IS NULL)))
    RETURNING k.id`.execute(db);
  return rows.map(({ id }) => id);
}

async function fixUnseen(db: TenantQueries, only: readonly string[] | null, now: Date): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    UPDATE risk r SET state = 'fixed', fixed_at = ${now}, images = 0
    FROM concerned c WHERE r.repository_id = c.repository_id AND r.state <> 'fixed'
      AND ${only === null ? sql`true` : sql`r.kind IN ('vulnerability', 'malware') AND r.finding = ANY(${only})`}
      AND NOT EXISTS (SELECT FROM seen s WHERE s.repository_id = r.repository_id AND s.key = r.key)
      AND NOT EXISTS (SELECT FROM live l WHERE l.repository_id = r.repository_id AND l.state <> 'scanned')
    RETURNING r.id`.execute(db);
  return rows.map(({ id }) => id);
}

async function noteEvents(db: TenantQueries, { opened, reopened, fixed }: RefreshedRisks, now: Date): Promise<void> {
  for (const [action, ids] of Object.entries({ opened, reopened, fixed })) {
    await sql`
      INSERT INTO risk_event (tenant_id, risk_id, at, actor, action)
      SELECT current_tenant(), id, ${now}, 'scan', ${action} FROM unnest(${ids}::bigint[]) AS id`.execute(db);
  }
}

/** Days by the tenant's setting `due`, shortened or lengthened by the grade of the repository or its registry. */
function dueIn(severity: string, exploited: string, repository: string) {
  const defaults = JSON.stringify(DEFAULT_DUE);
  return sql`(SELECT make_interval(mins => (24 * 60 * days * coalesce((due->'grades'->>grade)::numeric, 1))::integer) FROM (
    SELECT due, (SELECT coalesce(r.grade, g.grade, '') FROM repository r JOIN registry g ON g.id = r.registry_id WHERE r.id = ${sql.ref(repository)}) AS grade,
      CASE WHEN ${sql.ref(exploited)} THEN (due->>'exploited')::numeric
        ELSE coalesce((due->>${sql.ref(severity)})::numeric, (due->>'medium')::numeric) END AS days
    FROM (SELECT coalesce((SELECT value FROM setting WHERE name = 'due'), ${defaults}::jsonb) AS due) chosen) counted)`;
}
