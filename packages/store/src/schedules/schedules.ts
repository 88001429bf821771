import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/** What a schedule scans, and when. */
export interface ScheduleSettings {
  readonly name: string;
  /** Five fields: minute, hour, day of month, month, day of week. */
  readonly cron: string;
  readonly timeZone: string;
  readonly registries: readonly number[];
  readonly repositories: readonly number[];
  /** Images that are scanned already too; otherwise only what is new. */
  readonly rescan: boolean;
  readonly enabled: boolean;
  readonly imagesPerMinute: number;
}

export interface Schedule extends ScheduleSettings {
  readonly id: number;
  readonly nextAt: string | null;
  readonly lastAt: string | null;
  readonly lastJob: number | null;
  readonly createdBy: string;
}

const COLUMNS = sql`id, name, cron, time_zone AS "timeZone", registries, repositories, rescan, enabled,
  images_per_minute AS "imagesPerMinute", to_json(next_at)#>>'{}' AS "nextAt", to_json(last_at)#>>'{}' AS "lastAt",
  last_job AS "lastJob", created_by AS "createdBy"`;

export async function listSchedules(db: TenantQueries): Promise<readonly Schedule[]> {
  const { rows } = await sql<Schedule>`SELECT ${COLUMNS} FROM schedule ORDER BY name`.execute(db);
  return rows.map(plain);
}

export async function getSchedule(db: TenantQueries, id: number): Promise<Schedule | undefined> {
  const { rows } = await sql<Schedule>`SELECT ${COLUMNS} FROM schedule WHERE id = ${id}`.execute(db);
  return rows.map(plain)[0];
}

/** Arrays of bigint come as text. */
function plain(row: Schedule): Schedule {
  return { ...row, registries: row.registries.map(Number), repositories: row.repositories.map(Number) };
}

/** @returns its id; undefined when the name is taken */
export async function addSchedule(
  db: TenantQueries,
  schedule: ScheduleSettings & { readonly createdBy: string; readonly nextAt: Date },
): Promise<number | undefined> {
  const { name, cron, timeZone, registries, repositories, rescan, enabled, imagesPerMinute } = schedule;
  const { rows } = await sql<{ id: number }>`
    INSERT INTO schedule (tenant_id, name, cron, time_zone, registries, repositories, rescan, enabled, images_per_minute,
      created_by, next_at)
    VALUES (current_tenant(), ${name}, ${cron}, ${timeZone}, ${registries}::bigint[], ${repositories}::bigint[], ${rescan},
      ${enabled}, ${imagesPerMinute}, ${schedule.createdBy}, ${schedule.nextAt})
    ON CONFLICT (tenant_id, name) DO NOTHING RETURNING id`.execute(db);
  return rows[0]?.id;
}

/** Writes all settings of a schedule anew; false when the name is another one's. */
export async function changeSchedule(
  db: TenantQueries,
  id: number,
  settings: ScheduleSettings & { readonly nextAt: Date },
): Promise<boolean> {
  const { name, cron, timeZone, registries, repositories, rescan, enabled, imagesPerMinute, nextAt } = settings;
  const { rows } = await sql<{ id: number }>`
    UPDATE schedule SET name = ${name}, cron = ${cron}, time_zone = ${timeZone}, registries = ${registries}::bigint[],
      repositories = ${repositories}::bigint[], rescan = ${rescan}, enabled = ${enabled},
      images_per_minute = ${imagesPerMinute}, next_at = ${nextAt}
    WHERE id = ${id} AND NOT EXISTS (SELECT FROM schedule o WHERE o.name = ${name} AND o.id <> ${id})
    RETURNING id`.execute(db);
  return rows.length > 0;
}

export async function removeSchedule(db: TenantQueries, id: number): Promise<boolean> {
  const removed = await db.deleteFrom("schedule").where("id", "=", id).executeTakeFirst();
  return removed.numDeletedRows > 0n;
}

/** Ids of the schedules whose time has come. */
export async function dueSchedules(db: TenantQueries, now: Date): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`SELECT id FROM schedule WHERE ${isDue(now)} ORDER BY id`.execute(db);
  return rows.map(({ id }) => id);
}

/**
 * A schedule whose time has come, held until the transaction ends: of several servers that look, one gets it, and for the others it
 * is undefined. Note it with `ranSchedule` in the same transaction.
 */
export async function takeSchedule(
  db: TenantQueries,
  id: number,
  now: Date,
): Promise<(Schedule & { readonly isRunning: boolean }) | undefined> {
  const { rows } = await sql<Schedule & { isRunning: boolean }>`
    SELECT ${COLUMNS}, EXISTS (SELECT FROM job j WHERE j.id = schedule.last_job AND j.state IN ('running', 'paused'))
      AS "isRunning"
    FROM schedule WHERE id = ${id} AND ${isDue(now)} FOR UPDATE SKIP LOCKED`.execute(db);
  return rows.map((row) => ({ ...row, ...plain(row) }))[0];
}

function isDue(now: Date) {
  return sql`enabled AND next_at <= ${now}`;
}

/** @param job undefined when there was nothing to do */
export async function ranSchedule(
  db: TenantQueries,
  id: number,
  { at, nextAt, job }: { readonly at: Date; readonly nextAt: Date; readonly job: number | undefined },
): Promise<void> {
  await sql`
    UPDATE schedule SET last_at = ${at}, next_at = ${nextAt}, last_job = coalesce(${job ?? null}::bigint, last_job)
    WHERE id = ${id}`.execute(db);
}
