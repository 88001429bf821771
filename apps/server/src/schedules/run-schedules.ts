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
} from "@bulwark/store";
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
}

/**
 * Starts what is due. A run that comes while the job of the one before goes on is left out; so are those that nobody was
 * there for.
 */
export async function runSchedules(deps: RunDeps): Promise<void> {
  const { store, clock } = deps;
  for (const { id: tenantId } of await listTenants(store, { limit: MAX_TENANTS })) {
    const started = await store.tenant(tenantId, async (db) => {
      const jobs: StartedJob[] = [];
      const at = clock();
      for (const schedule of await dueSchedules(db, at)) {
        const job = schedule.isRunning ? undefined : await startScheduled(db, tenantId, schedule);
        const nextAt = nextTime(schedule.cron, schedule.timeZone, at);
        await ranSchedule(db, schedule.id, { at, nextAt, job: job?.id });
        if (job !== undefined) jobs.push(job);
      }
      return jobs;
    });
    for (const job of started) await job.enqueue(deps);
  }
}

async function startScheduled(
  db: TenantQueries,
  tenantId: number,
  { name, registries, repositories, rescan, imagesPerMinute }: Schedule,
): Promise<StartedJob | undefined> {
  const tasks: NewTask[] = [];
  for (const id of registries) {
    const registry = await getRegistry(db, id);
    if (registry !== undefined && registry.kind !== "local") tasks.push(syncTask(registry));
  }
  for (const id of repositories) {
    const repository = await getRepository(db, id, undefined);
    if (repository !== undefined) tasks.push(syncTask(repository.registry, repository.name));
  }
  const known = await imagesOf(db, { images: [], registries, repositories, force: rescan });
  tasks.push(...scanTasks(known));
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
