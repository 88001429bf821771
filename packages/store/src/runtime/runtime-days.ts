import { sql } from "kysely";
import { countMissed } from "../exports/progress.ts";
import type { Store, TenantQueries } from "../open-store.ts";
import { listTenants } from "../tenants/tenants.ts";

const DAY_MS = 86_400_000;
/** More than one installation serves. */
const MAX_TENANTS = 10_000;

/** Makes the partitions that events of the days from eight days ago to tomorrow go to. */
export async function makeRuntimeDays(store: Store, now: Date): Promise<void> {
  const days = Array.from({ length: 10 }, (_, i) => dayOf(now.getTime() + (i - 8) * DAY_MS));
  await sql`SELECT make_runtime_day(day) FROM unnest(${days}::date[]) AS day`.execute(store.system);
}

/**
 * Drops the oldest days until what is left is within both bounds. Today and yesterday stay in any case. Exports that had not
 * come so far count what they miss.
 *
 * @returns days that were dropped, `2026-06-01`
 */
export async function dropRuntimeDays(
  store: Store,
  bounds: { readonly days: number; readonly bytes: number },
  now: Date,
): Promise<readonly string[]> {
  const { rows } = await sql<{ day: string; bytes: number }>`
    SELECT to_char(day, 'YYYY-MM-DD') AS day, bytes FROM runtime_days()`.execute(store.system);
  const oldest = dayOf(now.getTime() - bounds.days * DAY_MS);
  const kept = dayOf(now.getTime() - DAY_MS);
  let bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  const dropped: string[] = [];
  for (const row of rows) {
    if (row.day >= kept || (row.day >= oldest && bytes <= bounds.bytes)) break;
    await tellMissed(store, row.day);
    await sql`SELECT drop_runtime_day(${row.day}::date)`.execute(store.system);
    bytes -= row.bytes;
    dropped.push(row.day);
  }
  return dropped;
}

/**
 * Drops what one tenant does not want to keep so long, from the days that others keep. Today and yesterday stay.
 *
 * @param since the last day that was looked at before, `2026-06-01`; earlier ones hold nothing of this tenant any more
 * @returns the first day that is kept
 */
export async function dropTenantEvents(
  db: TenantQueries,
  days: number,
  since: string | undefined,
  now: Date,
): Promise<string> {
  const kept = dayOf(now.getTime() - Math.max(1, days) * DAY_MS);
  const { rows } = await sql<{ day: string }>`
    SELECT to_char(day, 'YYYY-MM-DD') AS day FROM runtime_days() WHERE to_char(day, 'YYYY-MM-DD') < ${kept}
      AND to_char(day, 'YYYY-MM-DD') >= ${since ?? ""}`.execute(db);
  for (const { day } of rows) {
    await countMissed(db, day);
    const isOf = sql`at >= ${`${day}T00:00:00Z`}::timestamptz AND at < ${`${day}T00:00:00Z`}::timestamptz + interval '1 day'`;
    await sql`DELETE FROM runtime_event WHERE ${isOf}`.execute(db);
    await sql`DELETE FROM runtime_batch WHERE ${isOf}`.execute(db);
  }
  return kept;
}

/** What a day holds that was not exported yet is lost to the targets that it was for: they tell how much. */
async function tellMissed(store: Store, day: string): Promise<void> {
  for (const { id } of await listTenants(store, { limit: MAX_TENANTS })) {
    await store.tenant(id, (db) => countMissed(db, day));
  }
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
