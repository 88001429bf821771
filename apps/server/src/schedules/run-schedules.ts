import {
  dueSchedules,
  getRegistry,
  getRepository,
  imagesOf,
  listTenants,
  type NewTask,
  ranSchedule,
  type Schedule,
  type Store,
  type TenantQueries,
  takeSchedule,
} from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import type { Queue } from "../jobs/queue.ts";
import { type StartedJob, startJob } from "../jobs/start-job.ts";
import { syncTask } from "../registries/sync-job.ts";
import { scanTasks } from "../scans/scan-tasks.ts";
import { nextTime } from "./next-time.ts";

const MAX_TENANTS = 10_000;

export interface RunDeps {
  readonly store: Store;
  readonly queue: Queue;
  readonly clock: () => Date;
  readonly log: FastifyBaseLogger;
}

/**
 * Starts what is due. A run that comes while the job of the one before goes on is left out; so are those that nobody was
 * there for. One that cannot be started is told, tried again a minute later, and keeps no other waiting.
 */
export async function runSchedules(deps: RunDeps): Promise<void> {
  const { store, clock, log } = deps;
  for (const { id: tenantId } of await listTenants(store, { limit: MAX_TENANTS })) {
    try {
      const due = await store.tenant(tenantId, (db) => dueSchedules(db, clock()));
      for (const schedule of due) await runSchedule(deps, tenantId, schedule);
    } catch (error) {
      log.error({ err: error, tenant: tenantId }, "the schedules of a tenant cannot be looked at");
    }
  }
}

async function runSchedule(deps: RunDeps, tenantId: number, id: number): Promise<void> {
  const { store, clock, log } = deps;
  try {
    const job = await store.tenant(tenantId, async (db) => {
      const at = clock();
      const schedule = await takeSchedule(db, id, at);
      if (schedule === undefined) return undefined;
      const started = schedule.isRunning ? undefined : await startScheduled(db, tenantId, schedule);
      const nextAt = nextTime(schedule.cron, schedule.timeZone, at);
      await ranSchedule(db, id, { at, nextAt, job: started?.id });
      return started;
    });
    await job?.enqueue(deps);
  } catch (error) {
    log.error({ err: error, tenant: tenantId, schedule: id }, "a schedule cannot be run");
  }
}

async function startScheduled(
  db: TenantQueries,
  tenantId: number,
  { name, registries, repositories, rescan, imagesPerMinute }: Schedule,
): Promise<StartedJob | undefined> {
  const synced: NewTask[] = [];
  for (const id of registries) {
    const registry = await getRegistry(db, id);
    if (registry !== undefined && registry.kind !== "local") synced.push(syncTask(registry));
  }
  for (const id of repositories) {
    const repository = await getRepository(db, id, undefined);
    if (repository !== undefined) synced.push(syncTask(repository.registry, repository.name));
  }
  const known = await imagesOf(db, { images: [], registries, repositories, force: rescan });
  const tasks = [...synced, ...scanTasks(known)];
  if (tasks.length === 0) return undefined;
  const kind = rescan ? "scan" : "sync";
  return startJob(db, tenantId, {
    kind,
    title: name,
    cause: "schedule",
    createdBy: "",
    perMinute: imagesPerMinute,
    tasks,
  });
}
