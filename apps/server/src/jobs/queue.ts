import { createHash } from "node:crypto";
import { connectionOf, type Ticket } from "@bulwark/store";
import { PgBoss } from "pg-boss";

const TASKS = "bulwark-task";
/** A message whose worker died before it could write that it began is given to another after this. */
const HEARTBEAT_SECONDS = 20;
const SUPERVISE_SECONDS = 30;
const REDELIVERIES = 1_000;
const EXPIRES_SECONDS = 12 * 60 * 60;
/** A task may wait long for its turn, where a registry allows few images a minute. */
const RETENTION_SECONDS = 90 * 24 * 60 * 60;
const POLL_SECONDS = 2;
/** Time for tasks that were told to stop to say how far they came. */
const HAND_OVER_MS = 5_000;
/** Messages in one statement. */
const BATCH = 5_000;

/** Which task a worker is to do, on which ticket. */
export interface QueuedTask {
  readonly tenantId: number;
  readonly taskId: number;
  readonly ticket: number;
}

/**
 * Hands tasks to workers, on whichever machine they run. What a task has come to stands in the store, with the tickets that
 * say whose turn it is; a message is a hint that may come twice, late, or to a task that is over.
 */
export interface Queue {
  /** Adding a ticket twice is adding it once. */
  add(tenantId: number, tickets: readonly Ticket[]): Promise<void>;
  /** Does tasks, `concurrency` at once. */
  work(concurrency: number, perform: (task: QueuedTask, signal: AbortSignal) => Promise<void>): Promise<void>;
  /** Calls at times of a cron expression, on one server of all. */
  schedule(name: string, cron: string, run: () => Promise<void>): Promise<void>;
  /** Lets tasks that run end, for `withinMs` at most; those that do not are told to stop, and go to other workers. */
  close(withinMs: number): Promise<void>;
}

/** @param url of the store's database; the queue keeps a schema of its own there */
export async function openQueue(url: string, onError: (error: Error) => void): Promise<Queue> {
  const { host, user, password, database, connectionString, options } = connectionOf(url);
  const place =
    connectionString === undefined ? { host, user, password, database, options } : { connectionString, options };
  const boss = new PgBoss({
    ...(place as object),
    application_name: "bulwark-queue",
    max: 4,
    useListenNotify: true,
    superviseIntervalSeconds: SUPERVISE_SECONDS,
    monitorIntervalSeconds: SUPERVISE_SECONDS,
  });
  boss.on("error", onError);
  await boss.start();
  const settings = {
    retryLimit: REDELIVERIES,
    retryDelay: 1,
    expireInSeconds: EXPIRES_SECONDS,
    heartbeatSeconds: HEARTBEAT_SECONDS,
    retentionSeconds: RETENTION_SECONDS,
    notify: true,
  };
  await boss.createQueue(TASKS, settings);
  await boss.updateQueue(TASKS, settings);
  const ending = new AbortController();
  const running = new Set<Promise<void>>();
  return {
    async add(tenantId, tickets) {
      for (let at = 0; at < tickets.length; at += BATCH) {
        await boss.insert(
          TASKS,
          tickets.slice(at, at + BATCH).map(({ taskId, ticket, startAt }) => ({
            id: messageId(taskId, ticket),
            data: { tenantId, taskId, ticket },
            ...(startAt === null ? {} : { startAfter: new Date(startAt).toISOString() }),
          })),
        );
      }
    },
    async work(concurrency, perform) {
      // Each has a name of its own, to be told that there may be more as soon as one task is done.
      for (let i = 0; i < concurrency; i++) {
        const worker: string = await boss.work<QueuedTask>(
          TASKS,
          { batchSize: 1, pollingIntervalSeconds: POLL_SECONDS, notifyPollingIntervalSeconds: POLL_SECONDS },
          async ([job]) => {
            if (job === undefined) return;
            const work = perform(job.data, ending.signal);
            running.add(work);
            await work.finally(() => running.delete(work));
            boss.notifyWorker(worker);
          },
        );
      }
    },
    async schedule(name, cron, run) {
      await boss.createQueue(name);
      await boss.schedule(name, cron);
      await boss.work(name, { pollingIntervalSeconds: POLL_SECONDS }, run);
    },
    async close(withinMs) {
      await boss.offWork(TASKS, { wait: false });
      await within(withinMs, running);
      ending.abort(new Error("the server ends"));
      await within(HAND_OVER_MS, running);
      await boss.stop({ graceful: true, timeout: HAND_OVER_MS });
    },
  };
}

/** Waits for work that runs, but not for ever. */
async function within(ms: number, running: ReadonlySet<Promise<void>>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.allSettled(running), late]);
  clearTimeout(timer);
}

/** The id of a ticket's message, the same whoever sends it. (RFC 9562, section 5.8: UUID version 8.) */
function messageId(taskId: number, ticket: number): string {
  const hex = createHash("sha256").update(`bulwark-task ${taskId} ${ticket}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
