import { listRegistries, listTenants, type Registry, type Store } from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import type { Queue } from "./jobs/queue.ts";
import { startJob } from "./jobs/start-job.ts";
import { deliverNotifications } from "./notifications/deliver.ts";
import { syncJob } from "./registries/routes.ts";
import type { ScannerTools } from "./scans/tools.ts";
import { MAX_TENANTS, watchAdvisories } from "./scans/watch-advisories.ts";
import type { SecretBox } from "./security/secret-box.ts";

const EVERY_MINUTE = "* * * * *";
const DEFAULT_POLL_MINUTES = 60;

interface ScheduleDeps {
  readonly store: Store;
  readonly secrets: SecretBox;
  readonly queue: Queue;
  readonly tools: ScannerTools;
  readonly clock: () => Date;
  readonly log: FastifyBaseLogger;
  readonly publicUrl?: string | undefined;
}

/** What happens by itself: registries are polled, new advisories find their images, and who wants to know is told. */
export async function scheduleWork(deps: ScheduleDeps): Promise<void> {
  await deps.queue.schedule("bulwark-poll", EVERY_MINUTE, () => pollRegistries(deps));
  await deps.queue.schedule("bulwark-advisories", EVERY_MINUTE, () => watchAdvisories(deps));
  await deps.queue.schedule("bulwark-notifications", EVERY_MINUTE, () => deliverNotifications(deps));
}

async function pollRegistries({ store, queue, clock }: ScheduleDeps): Promise<void> {
  for (const { id: tenantId } of await listTenants(store, { limit: MAX_TENANTS })) {
    for (const registry of await store.tenant(tenantId, listRegistries)) {
      if (!isDue(registry, clock())) continue;
      const job = await store.tenant(tenantId, (db) => startJob(db, tenantId, syncJob(registry, "", "schedule")));
      await job.enqueue(queue);
    }
  }
}

function isDue({ kind, state, settings, syncedAt, createdAt }: Registry, now: Date): boolean {
  const { pollMinutes = DEFAULT_POLL_MINUTES } = settings;
  if (kind === "local" || pollMinutes === 0 || state === "syncing") return false;
  return now.getTime() - Date.parse(syncedAt ?? createdAt) > pollMinutes * 60_000;
}
