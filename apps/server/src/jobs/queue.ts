import { connectionOf } from "@bulwark/store";
import { PgBoss } from "pg-boss";

const TASKS = "bulwark-task";
/** A worker that does not give a sign of life for so long is taken for dead, and its task is given to another. */
const HEARTBEAT_SECONDS = 20;
/** How often a task is tried before it counts as failed. */
export const MAX_ATTEMPTS = 5;
const RETRY_SECONDS = 15;
const MAX_RETRY_SECONDS = 15 * 60;
const EXPIRES_SECONDS = 12 * 60 * 60;
const POLL_SECONDS = 2;

/** Which task a worker is to do. */
interface QueuedTask {
  readonly tenantId: number;
  readonly taskId: number;
}

/** What becomes of a task that a worker tried. */
export type Outcome = "done" | "retry";

/** Hands tasks to workers, on whichever machine they run. What is in the queue survives every process. */
export interface Queue {
  /** @param everySeconds time between one task and the next; 0: as fast as workers go */
  add(tasks: readonly QueuedTask[], everySeconds?: number): Promise<void>;
  /** Does tasks, `concurrency` at once. */
  work(concurrency: number, perform: (task: QueuedTask, signal: AbortSignal) => Promise<Outcome>): Promise<void>;
  /** Calls at times of a cron expression, on one server of all. */
  schedule(name: string, cron: string, run: () => Promise<void>): Promise<void>;
  /** Lets tasks that run end, for `withinMs` at most. */
  close(withinMs: number): Promise<void>;
}

/** @param url of the store's database; the queue keeps a schema of its own there */
export async function openQueue(url: string, onError: (error: Error) => void): Promise<Queue> {
  const { host, user, password, database, connectionString } = connectionOf(url);
  const place = connectionString === undefined ? { host, user, password, database } : { connectionString };
  const boss = new PgBoss({ ...(place as object), application_name: "bulwark-queue", max: 4, useListenNotify: true });
  boss.on("error", onError);
  await boss.start();
  await boss.createQueue(TASKS, {
    retryLimit: MAX_ATTEMPTS - 1,
    retryDelay: RETRY_SECONDS,
    retryBackoff: true,
    retryDelayMax: MAX_RETRY_SECONDS,
    expireInSeconds: EXPIRES_SECONDS,
    heartbeatSeconds: HEARTBEAT_SECONDS,
    notify: true,
  });
  return {
    async add(tasks, everySeconds = 0) {
      await boss.insert(
        TASKS,
        tasks.map((data, index) => ({ data, startAfter: Math.round(index * everySeconds) })),
      );
    },
    async work(concurrency, perform) {
      await boss.work<QueuedTask>(
        TASKS,
        { localConcurrency: concurrency, batchSize: 1, pollingIntervalSeconds: POLL_SECONDS },
        async ([job]) => {
          if (job === undefined) return;
          const outcome = await perform(job.data, job.signal);
          if (outcome === "retry") throw new Error("the task is to be tried again");
        },
      );
    },
    async schedule(name, cron, run) {
      await boss.createQueue(name);
      await boss.schedule(name, cron);
      await boss.work(name, { pollingIntervalSeconds: POLL_SECONDS }, run);
    },
    close: (withinMs) => boss.stop({ graceful: true, timeout: withinMs }),
  };
}
