import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import type { JobState, TaskState } from "../schema/jobs.ts";
import { setPace } from "./pace.ts";

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
  readonly ticket: number;
  readonly progress: number;
  readonly step: string;
  readonly problem: string;
  readonly worker: string;
  /** Not begun before; null: at once. */
  readonly startAt: string | null;
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
const TASK = sql`id, job_id AS "jobId", kind, name, payload, state, attempts, ticket, progress, step, problem, worker,
  to_json(start_at)#>>'{}' AS "startAt", to_json(started_at)#>>'{}' AS "startedAt", to_json(ended_at)#>>'{}' AS "endedAt"`;

/** What a job is made of. */
export interface NewJob {
  readonly kind: string;
  readonly title: string;
  readonly cause: string;
  readonly createdBy: string;
  /** Tasks begun in a minute at most; 0 or left out: as fast as workers go. */
  readonly perMinute?: number;
}

/** A task's turn: what a worker needs to begin it. A ticket is good once; what puts a task in the queue again makes a new one. */
export interface Ticket {
  readonly taskId: number;
  readonly ticket: number;
  /** Not before; null: at once. */
  readonly startAt: string | null;
}

/** What a ticket is read from. */
export const TICKET = sql`id AS "taskId", ticket, to_json(start_at)#>>'{}' AS "startAt"`;

/** Makes a job with its tasks; gives their tickets, in their order. */
export async function addJob(
  db: TenantQueries,
  job: NewJob,
  tasks: readonly NewTask[],
): Promise<{ readonly id: number; readonly tasks: readonly Ticket[] }> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO job (tenant_id, kind, title, cause, created_by, per_minute, state, ended_at)
    VALUES (current_tenant(), ${job.kind}, ${job.title}, ${job.cause}, ${job.createdBy}, ${job.perMinute ?? 0},
      ${tasks.length === 0 ? "done" : "running"}, ${tasks.length === 0 ? sql`now()` : null}) RETURNING id`.execute(db);
  const id = rows[0]?.id ?? 0;
  return { id, tasks: tasks.length === 0 ? [] : await addTasks(db, id, tasks) };
}

/** Adds tasks to a job: to be begun while it runs, parked while it is paused, none once it ended. */
export async function addTasks(db: TenantQueries, job: number, tasks: readonly NewTask[]): Promise<readonly Ticket[]> {
  if (tasks.length === 0) return [];
  // Whoever pauses or ends the job waits until the tasks are there, or was first.
  const state = await lockJob(db, job, "share");
  if (state !== "running" && state !== "paused") return [];
  const taskState = state === "paused" ? "parked" : "waiting";
  const { rows } = await sql<{ id: number }>`
    INSERT INTO task (tenant_id, job_id, kind, name, payload, state)
    SELECT current_tenant(), ${job}, r->>'kind', r->>'name', r->'payload', ${taskState}
    FROM jsonb_array_elements(${JSON.stringify(tasks)}::jsonb) WITH ORDINALITY AS e(r, place)
    ORDER BY place RETURNING id`.execute(db);
  if (taskState === "parked") return [];
  return setPace(
    db,
    job,
    rows.map(({ id }) => id),
  );
}

/** Holds a job in its state until the transaction ends; gives the state, undefined for none. */
export async function lockJob(
  db: TenantQueries,
  id: number,
  strength: "share" | "update",
): Promise<JobState | undefined> {
  const { rows } = await sql<{ state: JobState }>`
    SELECT state FROM job WHERE id = ${id} ${sql.raw(strength === "share" ? "FOR SHARE" : "FOR NO KEY UPDATE")}`.execute(
    db,
  );
  return rows[0]?.state;
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
