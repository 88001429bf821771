import { sql } from "kysely";
import type { SystemQueries } from "../open-store.ts";

/** How many expired rows one attempt clears away: more than it can add, so that the table stays as small as its window. */
const CLEARED = 100;

/**
 * Counts an attempt before it is made, so that attempts at the same time cannot all pass. The first one opens a window.
 *
 * @returns how many there were in the window, this one with them, and when it ends
 */
export async function countAttempt(
  db: SystemQueries,
  key: string,
  now: Date,
  windowMs: number,
): Promise<{ readonly count: number; readonly endsAt: Date }> {
  const expired = sql`SELECT key FROM login_attempt WHERE ends_at <= ${now} LIMIT ${CLEARED} FOR UPDATE SKIP LOCKED`;
  await sql`DELETE FROM login_attempt WHERE key IN (${expired})`.execute(db);
  const endsAt = new Date(now.getTime() + windowMs);
  const row = await db
    .insertInto("login_attempt")
    .values({ key, count: 1, ends_at: endsAt })
    .onConflict((conflict) =>
      conflict.column("key").doUpdateSet({
        count: sql`CASE WHEN login_attempt.ends_at <= ${now} THEN 1 ELSE login_attempt.count + 1 END`,
        ends_at: sql`CASE WHEN login_attempt.ends_at <= ${now} THEN excluded.ends_at ELSE login_attempt.ends_at END`,
      }),
    )
    .returning(["count", "ends_at"])
    .executeTakeFirstOrThrow();
  return { count: row.count, endsAt: row.ends_at };
}

/** Takes one attempt back: it was none that failed. */
export async function uncountAttempt(db: SystemQueries, key: string): Promise<void> {
  await db.updateTable("login_attempt").set({ count: sql`greatest(count - 1, 0)` }).where("key", "=", key).execute();
}

export async function forgetAttempts(db: SystemQueries, key: string): Promise<void> {
  await db.deleteFrom("login_attempt").where("key", "=", key).execute();
}
