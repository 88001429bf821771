import { hostname } from "node:os";
import { CodedError } from "@bulwark/model";
import {
  announce,
  beginTask,
  type Claim,
  endTask,
  isDiskFull,
  listTenants,
  reportProgress,
  rescueTasks,
  type Store,
  type Task,
  type TaskEnd,
} from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import type { Queue, QueuedTask } from "./queue.ts";
import { enqueue } from "./start-job.ts";

/** Progress is written this often at most: a task of seconds should not write a hundred rows. */
const PROGRESS_MS = 1_000;
/** How often tasks of dead workers are looked for. */
const RESCUE_MS = 5_000;
/** Tenants that are looked through. */
const MAX_TENANTS = 10_000;
/** How often a task is tried before it counts as failed. */
const MAX_ATTEMPTS = 5;
const RETRY_MS = 10_000;
const MAX_RETRY_MS = 15 * 60_000;
/** How long the end of a task is tried to be written while the database is away; another worker takes over later. */
const WRITE_AGAIN_MS = 1_000;
const WRITE_TRIES = 120;
/** How soon another worker is offered a task that is not for this machine. */
const HAND_ON_MS = 1_000;
/** Refusals that another try does not change. */
const PERMANENT: ReadonlySet<string> = new Set([
  "REFERENCE_INVALID",
  "IMAGE_NOT_FOUND",
  "MANIFEST_INVALID",
  "DIGEST_MISMATCH",
  "LAYER_INVALID",
  "PLATFORM_NOT_FOUND",
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
  /** Name of this machine, if not its host name. */
  readonly node?: string;
  /** Pause before the second try of a task, doubled for each further one; 10 s if left out. */
  readonly retryMs?: number;
}

/** Looks for tasks of workers that died until it is closed. */
export interface Worker {
  close(): Promise<void>;
}

/**
 * Starts doing tasks. A task whose worker dies is done again by another; what it had finished, such as layers that were
 * read, is kept.
 */
export async function startWorker(deps: WorkerDeps, concurrency: number): Promise<Worker> {
  const worker = `${hostname()}/${process.pid}`;
  await deps.queue.work(concurrency, (queued, signal) => take(deps, queued, worker, signal));
  let rescuing: Promise<void> | undefined;
  const timer = setInterval(() => {
    rescuing ??= rescue(deps)
      .catch((error) => deps.log.warn({ err: error }, "tasks of dead workers could not be looked for"))
      .finally(() => {
        rescuing = undefined;
      });
  }, RESCUE_MS);
  return {
    async close() {
      clearInterval(timer);
      await rescuing;
    },
  };
}

async function take(deps: WorkerDeps, queued: QueuedTask, worker: string, signal: AbortSignal): Promise<void> {
  const { store, clock } = deps;
  const { tenantId } = queued;
  const task = await untilWritten(deps, signal, () =>
    store.tenant(tenantId, async (db) => {
      const begun = await beginTask(db, queued, worker, clock());
      if (begun !== undefined) await announce(db, { topic: "jobs", id: begun.jobId });
      return begun;
    }),
  );
  if (task !== undefined) await perform(deps, tenantId, task, signal);
}

async function perform(deps: WorkerDeps, tenantId: number, task: Task, ending: AbortSignal): Promise<void> {
  const { node = "" } = task.payload;
  if (node !== "" && node !== (deps.node ?? hostname())) return handOn(deps, tenantId, task, ending);
  const cancel = new AbortController();
  const signal = AbortSignal.any([ending, cancel.signal]);
  const progress = progressWriter(deps, tenantId, task, () => cancel.abort(new Error("the job was cancelled")));
  let end: TaskEnd = { state: "done" };
  try {
    const handler = Object.hasOwn(deps.handlers, task.kind) ? deps.handlers[task.kind] : undefined;
    if (handler === undefined) throw new CodedError("NOT_FOUND", `no worker of this release does "${task.kind}"`);
    await handler({ tenantId, task, signal, progress: progress.tell });
  } catch (error) {
    end = endOf(task, error, deps.retryMs ?? RETRY_MS, {
      isCancelled: cancel.signal.aborted,
      isEnding: ending.aborted,
    });
    if (end.state !== "cancelled") {
      deps.log.warn({ err: error, task: task.id, kind: task.kind, attempt: task.attempts }, "a task failed");
    }
  } finally {
    await progress.close();
  }
  await finish(deps, tenantId, task, end, ending);
}

/** What only one machine can do waits until the worker there takes it. */
function handOn(deps: WorkerDeps, tenantId: number, task: Task, ending: AbortSignal): Promise<void> {
  const problem = `it waits for the worker on ${task.payload.node}`;
  return finish(deps, tenantId, task, { state: "waiting", problem, afterMs: HAND_ON_MS, isCounted: false }, ending);
}

/** What becomes of a task whose handler threw. */
function endOf(
  task: Task,
  error: unknown,
  retryMs: number,
  why: { readonly isCancelled: boolean; readonly isEnding: boolean },
): TaskEnd {
  if (why.isCancelled) return { state: "cancelled" };
  if (why.isEnding) return { state: "waiting", problem: "its worker was stopped", afterMs: 0, isCounted: false };
  const problem = problemOf(error);
  // It says nothing about the task, which waits until there is space.
  if (isDiskFull(error)) return { state: "waiting", problem, afterMs: retryMs, isCounted: false };
  const isPermanent = error instanceof CodedError && PERMANENT.has(error.code);
  if (isPermanent || task.attempts >= MAX_ATTEMPTS) return { state: "failed", problem };
  const afterMs = Math.min(retryMs * 2 ** (task.attempts - 1), MAX_RETRY_MS) * (0.75 + Math.random() / 2);
  return { state: "waiting", problem, afterMs, isCounted: true };
}

/** Why it failed and what to do, for people. */
function problemOf(error: unknown): string {
  if (isDiskFull(error)) {
    const why = error instanceof Error ? error.message : "";
    return `the disk of the database or of the worker is full (${why}); free space there, the task is tried again by itself`;
  }
  if (error instanceof CodedError) return error.next === "" ? error.message : `${error.message}; ${error.next}`;
  return error instanceof Error ? error.message : String(error);
}

async function finish(
  deps: WorkerDeps,
  tenantId: number,
  task: Claim,
  end: TaskEnd,
  ending: AbortSignal,
): Promise<void> {
  const { store, clock } = deps;
  const next = await untilWritten(deps, ending, () =>
    store.tenant(tenantId, async (db) => {
      const ticket = await endTask(db, task, end, clock());
      await announce(db, { topic: "jobs", id: task.jobId });
      return ticket;
    }),
  );
  if (next !== undefined) await enqueue(deps, tenantId, [next]);
}

/** A database that restarts is waited for: what was done is not thrown away for a second without it. */
async function untilWritten<Result>(
  { log }: WorkerDeps,
  ending: AbortSignal,
  write: () => Promise<Result>,
): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await write();
    } catch (error) {
      if (tries >= WRITE_TRIES || ending.aborted) throw error;
      if (tries === 1) log.warn({ err: error }, "the database does not take what a worker tells; trying again");
      await new Promise((resolve) => setTimeout(resolve, WRITE_AGAIN_MS));
    }
  }
}

async function rescue(deps: WorkerDeps): Promise<void> {
  const { store, clock } = deps;
  for (const { id: tenantId } of await listTenants(store, { limit: MAX_TENANTS })) {
    const { tickets } = await store.tenant(tenantId, async (db) => {
      const rescued = await rescueTasks(db, MAX_ATTEMPTS, clock());
      for (const id of rescued.jobs) await announce(db, { topic: "jobs", id });
      return rescued;
    });
    await enqueue(deps, tenantId, tickets);
  }
}

function progressWriter({ store, log }: WorkerDeps, tenantId: number, task: Task, onStopped: () => void) {
  let latest = { done: 0, step: "" };
  let told = latest;
  let writing: Promise<void> | undefined;
  const write = async () => {
    const { done, step } = latest;
    const isNews = told !== latest;
    told = latest;
    const orders = await store.tenant(tenantId, async (db) => {
      if (isNews) await announce(db, { topic: "jobs", id: task.jobId });
      return reportProgress(db, task, done, step);
    });
    if (orders === "stop") onStopped();
  };
  // A task without news still has to show that it lives, and to hear that its job was cancelled.
  const timer = setInterval(() => {
    writing ??= write()
      .catch((error) => log.warn({ err: error }, "progress could not be written"))
      .finally(() => {
        writing = undefined;
      });
  }, PROGRESS_MS);
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
