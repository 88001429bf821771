import {
  addJob,
  announce,
  markQueued,
  type NewTask,
  type Store,
  type TenantQueries,
  type Ticket,
} from "@bulwark/store";
import type { Queue } from "./queue.ts";

export interface JobRequest {
  readonly kind: string;
  readonly title: string;
  readonly cause: "request" | "schedule" | "push" | "sync" | "start";
  readonly createdBy: string;
  /** Tasks begun in a minute at most; 0 or left out: as fast as workers go. */
  readonly perMinute?: number;
  readonly tasks: readonly NewTask[];
}

/** A job that was written, to be handed to the queue when its transaction is kept. */
export interface StartedJob {
  readonly id: number;
  enqueue(deps: EnqueueDeps): Promise<void>;
}

interface EnqueueDeps {
  readonly store: Store;
  readonly queue: Queue;
}

/**
 * Writes a job. Call `enqueue` after the transaction; should the server end between the two, a worker finds the tasks.
 *
 * @example const job = await store.tenant(id, (db) => startJob(db, id, request)); await job.enqueue(deps);
 */
export async function startJob(db: TenantQueries, tenantId: number, request: JobRequest): Promise<StartedJob> {
  const { id, tasks } = await addJob(db, request, request.tasks);
  await announce(db, { topic: "jobs", id });
  return { id, enqueue: (deps) => enqueue(deps, tenantId, tasks) };
}

/** Puts tickets into the queue, and notes that they are there. */
export async function enqueue(
  { store, queue }: EnqueueDeps,
  tenantId: number,
  tickets: readonly Ticket[],
): Promise<void> {
  if (tickets.length === 0) return;
  await queue.add(tenantId, tickets);
  await store.tenant(tenantId, (db) => markQueued(db, tickets));
}
