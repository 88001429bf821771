import { hostname } from "node:os";
import { CodedError } from "@bulwark/model";
import { announce, beginTask, endTask, reportProgress, type Store, type Task } from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import { MAX_ATTEMPTS, type Outcome, type Queue } from "./queue.ts";

/** Progress is written this often at most: a task of seconds should not write a hundred rows. */
const PROGRESS_MS = 1_000;
/** Refusals that another try does not change. */
const PERMANENT: ReadonlySet<string> = new Set([
  "REFERENCE_INVALID",
  "IMAGE_NOT_FOUND",
  "MANIFEST_INVALID",
  "DIGEST_MISMATCH",
  "LAYER_INVALID",
  "PLATFORM_MISSING",
  "REGISTRY_AUTH",
  "ADDRESS_REFUSED",
  "SOURCE_INVALID",
  "SOURCE_NOT_FOUND",
  "NOT_FOUND",
]);

/** What a handler of tasks is given. */
export interface TaskContext {
  readonly tenantId: number;
  readonly task: Task;
  /** Aborted when the job is cancelled or the worker ends. */
  readonly signal: AbortSignal;
  /** @param done 0 to 1 */
  progress(done: number, step: string): void;
}

type TaskHandler = (context: TaskContext) => Promise<void>;

export interface WorkerDeps {
  readonly store: Store;
  readonly queue: Queue;
  readonly clock: () => Date;
  readonly log: FastifyBaseLogger;
  readonly handlers: Readonly<Record<string, TaskHandler>>;
}

/**
 * Starts doing tasks. A task whose worker dies is done again by another; what it had finished, such as layers that were
 * read, is kept.
 */
export async function startWorker(deps: WorkerDeps, concurrency: number): Promise<void> {
  const worker = `${hostname()}/${process.pid}`;
  await deps.queue.work(concurrency, async ({ tenantId, taskId }, signal) => {
    const { store, clock } = deps;
    const task = await store.tenant(tenantId, (db) => beginTask(db, taskId, worker, clock()));
    if (task === undefined) return "done";
    await store.tenant(tenantId, (db) => announce(db, { topic: "jobs", id: task.jobId }));
    return perform(deps, tenantId, task, signal);
  });
}

async function perform(deps: WorkerDeps, tenantId: number, task: Task, ending: AbortSignal): Promise<Outcome> {
  const cancel = new AbortController();
  const signal = AbortSignal.any([ending, cancel.signal]);
  const progress = progressWriter(deps, tenantId, task, () => cancel.abort(new Error("the job was cancelled")));
  try {
    const handler = Object.hasOwn(deps.handlers, task.kind) ? deps.handlers[task.kind] : undefined;
    if (handler === undefined) throw new CodedError("NOT_FOUND", `no worker of this release does "${task.kind}"`);
    await handler({ tenantId, task, signal, progress: progress.tell });
    await progress.close();
    await end(deps, tenantId, task, { state: "done" });
    return "done";
  } catch (error) {
    await progress.close();
    return failed(deps, tenantId, task, error, cancel.signal.aborted);
  }
}

async function failed(
  deps: WorkerDeps,
  tenantId: number,
  task: Task,
  error: unknown,
  isCancelled: boolean,
): Promise<Outcome> {
  if (isCancelled) {
    await end(deps, tenantId, task, { state: "cancelled" });
    return "done";
  }
  const problem = problemOf(error);
  const isPermanent = error instanceof CodedError && PERMANENT.has(error.code);
  deps.log.warn({ err: error, task: task.id, kind: task.kind, attempt: task.attempts }, "a task failed");
  if (isPermanent || task.attempts >= MAX_ATTEMPTS) {
    await end(deps, tenantId, task, { state: "failed", problem });
    return "done";
  }
  await end(deps, tenantId, task, { state: "waiting", problem });
  return "retry";
}

/** Why it failed and what to do, for people. */
function problemOf(error: unknown): string {
  if (error instanceof CodedError) return error.next === "" ? error.message : `${error.message}; ${error.next}`;
  return error instanceof Error ? error.message : String(error);
}

async function end(
  { store, clock }: WorkerDeps,
  tenantId: number,
  task: Task,
  state: Parameters<typeof endTask>[2],
): Promise<void> {
  await store.tenant(tenantId, async (db) => {
    await endTask(db, task.id, state, clock());
    await announce(db, { topic: "jobs", id: task.jobId });
  });
}

function progressWriter({ store, log }: WorkerDeps, tenantId: number, task: Task, onCancelled: () => void) {
  let latest = { done: 0, step: "" };
  let writing: Promise<void> = Promise.resolve();
  const write = () => {
    const told = latest;
    writing = writing
      .then(async () => {
        const goesOn = await store.tenant(tenantId, async (db) => {
          await announce(db, { topic: "jobs", id: task.jobId });
          return reportProgress(db, task.id, told.done, told.step);
        });
        if (!goesOn) onCancelled();
      })
      .catch((error) => log.warn({ err: error }, "progress could not be written"));
  };
  // A task without news still has to hear that its job was cancelled.
  const timer = setInterval(write, PROGRESS_MS);
  return {
    tell(done: number, step: string) {
      latest = { done, step };
    },
    async close() {
      clearInterval(timer);
      await writing;
    },
  };
}
