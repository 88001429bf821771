import { sql } from "kysely";
import { abandonCleanups } from "../cleanups/cleanups.ts";
import type { TenantQueries } from "../open-store.ts";
import { lockJob, type Ticket } from "./jobs.ts";
import { setPace } from "./pace.ts";

/** Stops a job for a while: tasks that run go on, the others wait. False when it does not run. */
export async function pauseJob(db: TenantQueries, id: number): Promise<boolean> {
  const changed = await db
    .updateTable("job")
    .set({ state: "paused" })
    .where("id", "=", id)
    .where("state", "=", "running")
    .executeTakeFirst();
  return changed.numUpdatedRows > 0n;
}

/** Lets a paused job go on; gives the tickets to be queued, undefined when it is not paused. */
export async function resumeJob(db: TenantQueries, id: number): Promise<readonly Ticket[] | undefined> {
  if ((await lockJob(db, id, "update")) !== "paused") return undefined;
  await db.updateTable("job").set({ state: "running" }).where("id", "=", id).execute();
  return queueAnew(db, id, "parked");
}

/** Ends a job: tasks that run are told to stop. */
export async function cancelJob(db: TenantQueries, id: number, now: Date): Promise<boolean> {
  const state = await lockJob(db, id, "update");
  if (state !== "running" && state !== "paused") return false;
  await db.updateTable("job").set({ state: "cancelled", ended_at: now }).where("id", "=", id).execute();
  await db
    .updateTable("task")
    .set({ state: "cancelled", ended_at: now })
    .where("job_id", "=", id)
    .where("state", "in", ["waiting", "parked"])
    .execute();
  await abandonCleanups(db, id, now);
  return true;
}

/** Lets failed tasks of a job be tried anew; gives their tickets, none when nothing of it failed or it was cancelled. */
export async function retryJob(db: TenantQueries, id: number): Promise<readonly Ticket[]> {
  const state = await lockJob(db, id, "update");
  if (state !== "running" && state !== "failed") return [];
  const tickets = await queueAnew(db, id, "failed");
  if (tickets.length > 0) {
    await db.updateTable("job").set({ state: "running", ended_at: null }).where("id", "=", id).execute();
  }
  return tickets;
}

async function queueAnew(db: TenantQueries, job: number, from: "parked" | "failed"): Promise<readonly Ticket[]> {
  const { rows } = await sql<{ id: number }>`
    UPDATE task SET state = 'waiting', ticket = ticket + 1, queued = false, start_at = NULL, seen_at = now(),
      attempts = CASE WHEN state = 'failed' THEN 0 ELSE attempts END, problem = '', ended_at = NULL
    WHERE job_id = ${job} AND state = ${from} RETURNING id`.execute(db);
  const ids = rows.map(({ id }) => id).sort((a, b) => a - b);
  return setPace(db, job, ids);
}
