import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import type { Ticket } from "./jobs.ts";

/**
 * Gives tasks their turn. Where a job, or the registry that its tasks read, allows only so many in a minute, each gets a time
 * of its own after all that were given out before, whoever asked for them.
 */
export async function setPace(db: TenantQueries, job: number, ids: readonly number[]): Promise<readonly Ticket[]> {
  if (ids.length === 0) return [];
  const ofJob = await reserve(
    db,
    sql`job SET next_slot`,
    sql`per_minute`,
    sql`id = ${job} AND per_minute > 0`,
    ids.length,
  );
  const { rows: registries } = await sql<{ registry: number; ids: number[] }>`
    SELECT (t.payload->>'registry')::bigint AS registry, array_agg(t.id ORDER BY t.id) AS ids FROM task t
    WHERE t.id = ANY(${ids}::bigint[]) AND t.kind = 'scan-image' AND t.payload ? 'registry' GROUP BY 1`.execute(db);
  const starts = new Map<number, number>();
  if (ofJob !== undefined) for (const [place, id] of ids.entries()) starts.set(id, ofJob.first + place * ofJob.everyMs);
  for (const { registry, ids: own } of registries) {
    const perMinute = sql`(settings->>'imagesPerMinute')::integer`;
    const limited = sql`id = ${registry} AND ${perMinute} > 0`;
    const slots = await reserve(db, sql`registry SET next_slot`, perMinute, limited, own.length);
    if (slots === undefined) continue;
    own.forEach((id, place) => {
      starts.set(id, Math.max(starts.get(id) ?? 0, slots.first + place * slots.everyMs));
    });
  }
  const times = JSON.stringify([...starts].map(([id, ms]) => ({ id, at: new Date(ms).toISOString() })));
  if (starts.size > 0) {
    await sql`
      UPDATE task SET start_at = r.at FROM jsonb_to_recordset(${times}::jsonb) AS r(id bigint, at timestamptz)
      WHERE task.id = r.id`.execute(db);
  }
  const { rows } = await sql<Ticket>`
    SELECT id AS "taskId", ticket, to_json(start_at)#>>'{}' AS "startAt" FROM task
    WHERE id = ANY(${ids}::bigint[]) ORDER BY id`.execute(db);
  return rows;
}

/** Takes times after the last that was given out; undefined where there is no limit. */
async function reserve(
  db: TenantQueries,
  target: ReturnType<typeof sql>,
  perMinute: ReturnType<typeof sql>,
  where: ReturnType<typeof sql>,
  count: number,
): Promise<{ readonly first: number; readonly everyMs: number } | undefined> {
  const { rows } = await sql<{ next: Date; everyMs: number }>`
    UPDATE ${target} = greatest(coalesce(next_slot, now()), now()) + ${count}::integer * interval '1 minute' / ${perMinute}
    WHERE ${where} RETURNING next_slot AS next, 60000.0::float8 / ${perMinute} AS "everyMs"`.execute(db);
  const [slot] = rows;
  if (slot === undefined) return undefined;
  return { first: slot.next.getTime() - count * slot.everyMs, everyMs: slot.everyMs };
}
