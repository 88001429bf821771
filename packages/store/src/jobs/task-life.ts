import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import type { TaskState } from "../schema/jobs.ts";
import { lockJob, type Task, TICKET, type Ticket } from "./jobs.ts";

/** A worker that gave no sign of life for so long is taken for dead. */
const LOST_AFTER_SECONDS = 20;
/** A task that was written but not put into the queue for so long, as its server ended between the two. */
const FORGOTTEN_SECONDS = 30;
const RESCUED_AT_ONCE = 1_000;

/** Proof that a worker holds a task: whoever took it over since holds another. */
export type Claim = Pick<Task, "id" | "jobId" | "ticket" | "attempts">;

/**
 * Begins a task. Undefined when this is not its turn: another ticket was given out since, another worker does it, its job
 * waits or ended.
 *
 * @param worker names who does it
 */
export async function beginTask(
  db: TenantQueries,
  { taskId, ticket }: Pick<Ticket, "taskId" | "ticket">,
  worker: string,
  now: Date,
): Promise<Task | undefined> {
  const job = await db.selectFrom("task").select("job_id").where("id", "=", taskId).executeTakeFirst();
  if (job === undefined) return undefined;
  // Job before task, everywhere: who pauses or resumes comes wholly before or wholly after.
  const jobState = await lockJob(db, job.job_id, "share");
  const { rows } = await sql<Task & { isLost: boolean }>`
    SELECT id, job_id AS "jobId", kind, name, payload, state, attempts, ticket, progress, step, problem, worker,
      NULL AS "startAt", NULL AS "startedAt", NULL AS "endedAt",
      seen_at < now() - ${LOST_AFTER_SECONDS}::integer * interval '1 second' AS "isLost"
    FROM task WHERE id = ${taskId} AND ticket = ${ticket} FOR UPDATE`.execute(db);
  const [task] = rows;
  const isFree = task?.state === "waiting" || (task?.state === "running" && task.isLost);
  if (task === undefined || !isFree) return undefined;
  if (jobState === "cancelled" || jobState === "paused") {
    const state: TaskState = jobState === "paused" ? "parked" : "cancelled";
    await db.updateTable("task").set({ state }).where("id", "=", taskId).execute();
    return undefined;
  }
  const attempts = task.attempts + 1;
  await sql`
    UPDATE task SET state = 'running', worker = ${worker}, started_at = ${now}, seen_at = now(), progress = 0, step = '',
      problem = '', attempts = ${attempts}, queued = true WHERE id = ${taskId}`.execute(db);
  return { ...task, attempts };
}

/** What a worker learns when it tells how far it is: `stop` when its job was cancelled, or the task is another's by now. */
export type Orders = "go on" | "stop";

/** Tells how far a task is, which is also the sign of life of its worker. */
export async function reportProgress(
  db: TenantQueries,
  { id, ticket, attempts }: Claim,
  progress: number,
  step: string,
): Promise<Orders> {
  const { rows } = await sql<{ state: string }>`
    UPDATE task SET progress = ${progress}, step = ${step}, seen_at = now() FROM job
    WHERE task.id = ${id} AND job.id = task.job_id AND task.state = 'running' AND task.ticket = ${ticket}
      AND task.attempts = ${attempts} RETURNING job.state`.execute(db);
  return rows[0] === undefined || rows[0].state === "cancelled" ? "stop" : "go on";
}

/** How a try of a task ended. */
export type TaskEnd =
  | { readonly state: "done" | "cancelled" }
  | { readonly state: "failed"; readonly problem: string }
  /** To be tried again, not before `afterMs`; a try that says nothing about the task itself is not counted. */
  | {
      readonly state: "waiting";
      readonly problem: string;
      readonly afterMs: number;
      readonly isCounted: boolean;
    };

/**
 * Ends a try of a task, and its job with the last one.
 *
 * @returns the ticket of the next try; undefined when there is none, or the task is another worker's by now
 */
export async function endTask(db: TenantQueries, claim: Claim, end: TaskEnd, now: Date): Promise<Ticket | undefined> {
  // Two last tasks that end at once would otherwise each see the other one running, and the job would never end.
  const jobState = await lockJob(db, claim.jobId, "update");
  const own = sql`id = ${claim.id} AND ticket = ${claim.ticket} AND attempts = ${claim.attempts} AND state = 'running'`;
  if (end.state === "waiting" && jobState !== "cancelled") {
    const state: TaskState = jobState === "paused" ? "parked" : "waiting";
    const startAt = new Date(now.getTime() + end.afterMs);
    const { rows } = await sql<Ticket>`
      UPDATE task SET state = ${state}, problem = ${end.problem}, progress = 0, ticket = ticket + 1, queued = false,
        start_at = ${startAt}, seen_at = now(), attempts = attempts - ${end.isCounted ? 0 : 1}::integer
      WHERE ${own} RETURNING ${TICKET}`.execute(db);
    return state === "parked" ? undefined : rows[0];
  }
  const state: TaskState = end.state === "waiting" ? "cancelled" : end.state;
  const problem = end.state === "failed" ? end.problem : "";
  await sql`
    UPDATE task SET state = ${state}, problem = ${problem}, ended_at = ${now}, progress = ${state === "done" ? 1 : 0}
    WHERE ${own}`.execute(db);
  await endJobIfDone(db, claim.jobId, now);
  return undefined;
}

async function endJobIfDone(db: TenantQueries, job: number, now: Date): Promise<void> {
  await sql`
    UPDATE job SET ended_at = ${now}, state = CASE
      WHEN EXISTS (SELECT FROM task WHERE job_id = ${job} AND state = 'failed') THEN 'failed' ELSE 'done' END
    WHERE id = ${job} AND state IN ('running', 'paused')
      AND NOT EXISTS (SELECT FROM task WHERE job_id = ${job} AND state IN ('waiting', 'parked', 'running'))`.execute(
    db,
  );
}

/** Notes that tickets are in the queue. */
export async function markQueued(db: TenantQueries, tickets: readonly Ticket[]): Promise<void> {
  if (tickets.length === 0) return;
  const rows = JSON.stringify(tickets.map(({ taskId, ticket }) => ({ id: taskId, ticket })));
  await sql`
    UPDATE task SET queued = true FROM jsonb_to_recordset(${rows}::jsonb) AS r(id bigint, ticket integer)
    WHERE task.id = r.id AND task.ticket = r.ticket`.execute(db);
}

/**
 * Finds tasks whose worker died, and those that never reached the queue; gives their tickets, to be put into it. A task whose
 * workers died `maxAttempts` times is given up: it may be what kills them.
 */
export async function rescueTasks(
  db: TenantQueries,
  maxAttempts: number,
  now: Date,
): Promise<{ readonly tickets: readonly Ticket[]; readonly jobs: readonly number[] }> {
  const { rows: lost } = await sql<Claim & { worker: string }>`
    SELECT id, job_id AS "jobId", ticket, attempts, worker FROM task
    WHERE state = 'running' AND seen_at < now() - ${LOST_AFTER_SECONDS}::integer * interval '1 second'
    ORDER BY id LIMIT ${RESCUED_AT_ONCE}`.execute(db);
  for (const { worker, ...claim } of lost) {
    const problem = `worker ${worker} gave no sign of life for ${LOST_AFTER_SECONDS} seconds`;
    const isOver = claim.attempts >= maxAttempts;
    const again = { state: "waiting", problem, afterMs: 0, isCounted: true } as const;
    await endTask(db, claim, isOver ? { state: "failed", problem } : again, now);
  }
  const { rows: tickets } = await sql<Ticket>`
    SELECT ${TICKET} FROM task
    WHERE state = 'waiting' AND NOT queued
      AND (id = ANY(${lost.map(({ id }) => id)}::bigint[])
        OR seen_at < now() - ${FORGOTTEN_SECONDS}::integer * interval '1 second')
    ORDER BY id LIMIT ${RESCUED_AT_ONCE}`.execute(db);
  return { tickets, jobs: [...new Set(lost.map(({ jobId }) => jobId))] };
}

/** Forgets which tasks are in a queue, as after a restore, when the queue is another: workers find them again. */
export async function forgetQueue(db: TenantQueries): Promise<number> {
  const changed = await db
    .updateTable("task")
    .set({ queued: false })
    .where("state", "in", ["waiting", "running"])
    .executeTakeFirst();
  return Number(changed.numUpdatedRows);
}
