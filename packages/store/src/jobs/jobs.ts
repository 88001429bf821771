import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import type { JobState, TaskState } from "../schema/jobs.ts";

/** Something that somebody asked for, or that a schedule or a push caused. */
export interface Job {
  readonly id: number;
  readonly kind: string;
  readonly title: string;
  readonly cause: string;
  readonly state: JobState;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly endedAt: string | null;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly running: number;
  /** 0 to 1, tasks that run counted by what they have done. */
  readonly progress: number;
}

/** What a worker does as one piece. */
export interface Task {
  readonly id: number;
  readonly jobId: number;
  readonly kind: string;
  readonly name: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly state: TaskState;
  readonly attempts: number;
  readonly progress: number;
  readonly step: string;
  readonly problem: string;
  readonly worker: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

export interface NewTask {
  readonly kind: string;
  readonly name: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

const JOB = sql`j.id, j.kind, j.title, j.cause, j.state, j.created_by AS "createdBy", to_json(j.created_at)#>>'{}' AS "createdAt",
  to_json(j.ended_at)#>>'{}' AS "endedAt", t.total, t.done, t.failed, t.running, t.progress`;
const TASKS_OF_JOB = sql`LEFT JOIN LATERAL (SELECT count(*) AS total, count(*) FILTER (WHERE state = 'done') AS done,
  count(*) FILTER (WHERE state = 'failed') AS failed, count(*) FILTER (WHERE state = 'running') AS running,
  coalesce(avg(CASE WHEN state IN ('done', 'failed', 'cancelled') THEN 1 ELSE progress END), 1) AS progress
  FROM task WHERE task.job_id = j.id) t ON true`;
const TASK = sql`id, job_id AS "jobId", kind, name, payload, state, attempts, progress, step, problem, worker,
  to_json(started_at)#>>'{}' AS "startedAt", to_json(ended_at)#>>'{}' AS "endedAt"`;

/** Makes a job with its tasks; gives the ids of the tasks, in their order. */
export async function addJob(
  db: TenantQueries,
  job: { readonly kind: string; readonly title: string; readonly cause: string; readonly createdBy: string },
  tasks: readonly NewTask[],
): Promise<{ readonly id: number; readonly tasks: readonly number[] }> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO job (tenant_id, kind, title, cause, created_by, state, ended_at)
    VALUES (current_tenant(), ${job.kind}, ${job.title}, ${job.cause}, ${job.createdBy},
      ${tasks.length === 0 ? "done" : "running"}, ${tasks.length === 0 ? sql`now()` : null}) RETURNING id`.execute(db);
  const id = rows[0]?.id ?? 0;
  return { id, tasks: await addTasks(db, id, tasks) };
}

/** Adds tasks to a job that runs. */
export async function addTasks(db: TenantQueries, job: number, tasks: readonly NewTask[]): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO task (tenant_id, job_id, kind, name, payload)
    SELECT current_tenant(), ${job}, kind, name, payload
    FROM jsonb_to_recordset(${JSON.stringify(tasks)}::jsonb) AS r(kind text, name text, payload jsonb) RETURNING id`.execute(
    db,
  );
  return rows.map(({ id }) => id);
}

export async function getJob(db: TenantQueries, id: number): Promise<Job | undefined> {
  const { rows } = await sql<Job>`SELECT ${JOB} FROM job j ${TASKS_OF_JOB} WHERE j.id = ${id}`.execute(db);
  return rows[0];
}

/** Jobs, the newest first. */
export async function listJobs(
  db: TenantQueries,
  {
    state,
    kind,
    before,
    limit,
  }: { readonly state?: JobState; readonly kind?: string; readonly before?: number; readonly limit: number },
): Promise<readonly Job[]> {
  const { rows } = await sql<Job>`SELECT ${JOB} FROM job j ${TASKS_OF_JOB}
    WHERE (${state ?? null}::text IS NULL OR j.state = ${state ?? null}) AND (${kind ?? null}::text IS NULL OR j.kind = ${kind ?? null})
      AND (${before ?? null}::bigint IS NULL OR j.id < ${before ?? null}) ORDER BY j.id DESC LIMIT ${limit}`.execute(
    db,
  );
  return rows;
}

/** Tasks of a job, or of all jobs in a state, the newest first. */
export async function listTasks(
  db: TenantQueries,
  {
    job,
    state,
    before,
    limit,
  }: { readonly job?: number; readonly state?: TaskState; readonly before?: number; readonly limit: number },
): Promise<readonly Task[]> {
  const { rows } = await sql<Task>`SELECT ${TASK} FROM task
    WHERE (${job ?? null}::bigint IS NULL OR job_id = ${job ?? null}) AND (${state ?? null}::text IS NULL OR state = ${state ?? null})
      AND (${before ?? null}::bigint IS NULL OR id < ${before ?? null}) ORDER BY id DESC LIMIT ${limit}`.execute(db);
  return rows;
}

/** Whether a task may be begun, and the task. It is marked as begun then. */
export async function beginTask(db: TenantQueries, id: number, worker: string, now: Date): Promise<Task | undefined> {
  const { rows } = await sql<Task & { jobState: JobState }>`
    SELECT ${sql.raw('task.id, task.job_id AS "jobId", task.kind, task.name, task.payload, task.state, task.attempts')},
      (SELECT state FROM job WHERE job.id = task.job_id) AS "jobState"
    FROM task WHERE task.id = ${id} FOR UPDATE`.execute(db);
  const [task] = rows;
  if (task === undefined || task.state === "done" || task.state === "cancelled") return undefined;
  const { jobState } = task;
  if (jobState === "cancelled" || jobState === "paused") {
    await db
      .updateTable("task")
      .set({ state: jobState === "paused" ? "parked" : "cancelled" })
      .where("id", "=", id)
      .execute();
    return undefined;
  }
  await db
    .updateTable("task")
    .set({ state: "running", worker, started_at: now, progress: 0, step: "", problem: "", attempts: task.attempts + 1 })
    .where("id", "=", id)
    .execute();
  return { ...task, attempts: task.attempts + 1 };
}

/** Tells how far a task is; false when its job was cancelled and the work is to end. */
export async function reportProgress(db: TenantQueries, id: number, progress: number, step: string): Promise<boolean> {
  const { rows } = await sql<{ state: JobState }>`
    UPDATE task SET progress = ${progress}, step = ${step} FROM job
    WHERE task.id = ${id} AND job.id = task.job_id RETURNING job.state`.execute(db);
  return rows[0]?.state !== "cancelled";
}

/** Ends a task, and its job with the last one. */
export async function endTask(
  db: TenantQueries,
  id: number,
  end: { readonly state: "done" | "failed" | "waiting" | "cancelled"; readonly problem?: string },
  now: Date,
): Promise<void> {
  const isOver = end.state !== "waiting";
  const { rows } = await sql<{ job_id: number }>`
    UPDATE task SET state = ${end.state}, problem = ${end.problem ?? ""}, ended_at = ${isOver ? now : null},
      progress = ${end.state === "done" ? 1 : 0} WHERE id = ${id} AND state <> 'cancelled' RETURNING job_id`.execute(
    db,
  );
  const job = rows[0]?.job_id;
  if (isOver && job !== undefined) await endJobIfDone(db, job, now);
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

/** Stops a job for a while: tasks that run go on, the others wait. */
export async function pauseJob(db: TenantQueries, id: number): Promise<boolean> {
  const changed = await db
    .updateTable("job")
    .set({ state: "paused" })
    .where("id", "=", id)
    .where("state", "=", "running")
    .executeTakeFirst();
  return changed.numUpdatedRows > 0n;
}

/** Lets a paused job go on; gives the tasks to be queued again. */
export async function resumeJob(db: TenantQueries, id: number): Promise<readonly number[] | undefined> {
  const changed = await db
    .updateTable("job")
    .set({ state: "running" })
    .where("id", "=", id)
    .where("state", "=", "paused")
    .executeTakeFirst();
  if (changed.numUpdatedRows === 0n) return undefined;
  const rows = await db
    .updateTable("task")
    .set({ state: "waiting" })
    .where("job_id", "=", id)
    .where("state", "=", "parked")
    .returning("id")
    .execute();
  return rows.map((row) => row.id);
}

/** Ends a job: tasks that run are told to stop. */
export async function cancelJob(db: TenantQueries, id: number, now: Date): Promise<boolean> {
  const changed = await db
    .updateTable("job")
    .set({ state: "cancelled", ended_at: now })
    .where("id", "=", id)
    .where("state", "in", ["running", "paused"])
    .executeTakeFirst();
  if (changed.numUpdatedRows === 0n) return false;
  await db
    .updateTable("task")
    .set({ state: "cancelled", ended_at: now })
    .where("job_id", "=", id)
    .where("state", "in", ["waiting", "parked"])
    .execute();
  return true;
}

/** Lets failed tasks of a job be tried anew; gives them. */
export async function retryJob(db: TenantQueries, id: number): Promise<readonly number[]> {
  const rows = await db
    .updateTable("task")
    .set({ state: "waiting", attempts: 0, problem: "", ended_at: null })
    .where("job_id", "=", id)
    .where("state", "=", "failed")
    .returning("id")
    .execute();
  if (rows.length > 0)
    await db.updateTable("job").set({ state: "running", ended_at: null }).where("id", "=", id).execute();
  return rows.map((row) => row.id);
}

/** Makes tasks wait that no queue knows of, as after a restore; gives them. */
export async function requeueTasks(db: TenantQueries): Promise<readonly number[]> {
  const rows = await db
    .updateTable("task")
    .set({ state: "waiting" })
    .where("state", "in", ["waiting", "running"])
    .returning("id")
    .execute();
  return rows.map(({ id }) => id);
}
