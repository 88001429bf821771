import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/** What may be told. */
export const NOTICE_EVENTS = [
  "risk.opened",
  "risk.reopened",
  "risk.overdue",
  "risk.fixed",
  "risk.acceptance-asked",
  "risk.acceptance-decided",
  "case.changed",
  "job.failed",
  "registry.failed",
  "advisories.new",
  "alert.raised",
  "rebuild.opened",
  "rebuild.done",
  "golden.published",
  "golden.at-risk",
  "golden.deprecated",
  "golden.revoked",
] as const;
export type NoticeEvent = (typeof NOTICE_EVENTS)[number];

/** Facts of a notice that is not about risks; `ownerId` and `grade` are what rules look at. */
export type NoticeFacts = Readonly<Record<string, unknown>>;

export interface Notice {
  readonly id: number;
  readonly event: NoticeEvent;
  readonly at: string;
  readonly riskIds: readonly number[];
  readonly facts: NoticeFacts;
}

/** Failures that ended longer ago than this are old news. */
const NEWS_HOURS = 24;

/**
 * Notes that something happened, in the transaction in which it does: both are kept, or neither. Where no rule wants such
 * events nothing is written.
 */
export async function giveNotice(
  db: TenantQueries,
  event: NoticeEvent,
  about: { readonly risks?: readonly number[]; readonly facts?: NoticeFacts },
  now: Date,
): Promise<void> {
  const { risks = [], facts = {} } = about;
  if (about.risks !== undefined && risks.length === 0) return;
  await sql`
    INSERT INTO notice (tenant_id, event, at, risk_ids, facts)
    SELECT current_tenant(), ${event}, ${now}, ${risks}::bigint[], ${JSON.stringify(facts)}::jsonb
    WHERE EXISTS (SELECT FROM notification_rule WHERE enabled AND ${event} = ANY(events))`.execute(db);
}

/** Takes the oldest notices out; they are gone when the transaction is kept. Two servers never take the same. */
export async function takeNotices(db: TenantQueries, limit: number): Promise<readonly Notice[]> {
  const { rows } = await sql<Notice>`
    DELETE FROM notice WHERE id IN (SELECT id FROM notice ORDER BY id LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING id, event, to_json(at)#>>'{}' AS at, risk_ids AS "riskIds", facts`.execute(db);
  return rows.map((row) => ({ ...row, riskIds: row.riskIds.map(Number) })).sort((one, other) => one.id - other.id);
}

/**
 * Notes what the state of the estate tells rather than a change: risks that are overdue, jobs that failed, registries that
 * cannot be read. Each is told once, until it is well again.
 */
export async function noticeStates(db: TenantQueries, now: Date): Promise<void> {
  await noticeOverdue(db, now);
  await noticeJobs(db, now);
  await noticeRegistries(db, now);
}

async function noticeOverdue(db: TenantQueries, now: Date): Promise<void> {
  const { rows } = await sql<{ id: number }>`
    UPDATE risk SET overdue_told_at = ${now}
    WHERE due_at < ${now} AND state NOT IN ('fixed', 'accepted') AND (overdue_told_at IS NULL OR overdue_told_at < due_at)
    RETURNING id`.execute(db);
  await giveNotice(db, "risk.overdue", { risks: rows.map(({ id }) => id) }, now);
}

async function noticeJobs(db: TenantQueries, now: Date): Promise<void> {
  const { rows } = await sql<{ id: number; title: string; kind: string; problem: string; failed: number }>`
    UPDATE job j SET failure_told_at = ${now}
    WHERE state = 'failed' AND ended_at > ${now}::timestamptz - make_interval(hours => ${NEWS_HOURS})
      AND (failure_told_at IS NULL OR failure_told_at < ended_at)
    RETURNING id, title, kind, (SELECT count(*) FROM task t WHERE t.job_id = j.id AND t.state = 'failed') AS failed,
      coalesce((SELECT problem FROM task t WHERE t.job_id = j.id AND t.state = 'failed' ORDER BY id LIMIT 1), '') AS problem`.execute(
    db,
  );
  for (const { id, ...facts } of rows) await giveNotice(db, "job.failed", { facts: { job: id, ...facts } }, now);
}

async function noticeRegistries(db: TenantQueries, now: Date): Promise<void> {
  await sql`UPDATE registry SET failure_told_at = NULL WHERE state = 'ok' AND failure_told_at IS NOT NULL`.execute(db);
  const { rows } = await sql<{
    id: number;
    name: string;
    problem: string;
    ownerId: number | null;
    grade: string | null;
  }>`
    UPDATE registry SET failure_told_at = ${now} WHERE state = 'failed' AND failure_told_at IS NULL
    RETURNING id, name, problem, owner_id AS "ownerId", grade`.execute(db);
  for (const { id, ...facts } of rows) {
    await giveNotice(db, "registry.failed", { facts: { registry: id, ...facts } }, now);
  }
}
