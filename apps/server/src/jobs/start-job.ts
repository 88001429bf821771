import { addJob, announce, type NewTask, type TenantQueries } from "@bulwark/store";
import type { Queue } from "./queue.ts";

export interface JobRequest {
  readonly kind: string;
  readonly title: string;
  readonly cause: "request" | "schedule" | "push" | "sync" | "start";
  readonly createdBy: string;
  readonly tasks: readonly NewTask[];
}

/** A job that was written, to be handed to the queue when its transaction is kept. */
export interface StartedJob {
  readonly id: number;
  enqueue(queue: Queue, everySeconds?: number): Promise<void>;
}

/**
 * Writes a job. Call `enqueue` after the transaction: a task that is queued before its row is there would be lost.
 *
 * @example const job = await store.tenant(id, (db) => startJob(db, id, request)); await job.enqueue(queue);
 */
export async function startJob(db: TenantQueries, tenantId: number, request: JobRequest): Promise<StartedJob> {
  const { id, tasks } = await addJob(db, request, request.tasks);
  await announce(db, { topic: "jobs", id });
  return {
    id,
    enqueue: (queue, everySeconds = 0) =>
      queue.add(
        tasks.map((taskId) => ({ tenantId, taskId })),
        everySeconds,
      ),
  };
}
