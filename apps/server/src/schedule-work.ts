import {
  FIRST_TENANT,
  listRegistries,
  listTenants,
  pendingSync,
  type Registry,
  reopenExpired,
  type Store,
} from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import { learnBaselines } from "./baselines/learn.ts";
import { matchComponents } from "./benchmarks/components.ts";
import { runBenchmarks } from "./benchmarks/run-benchmarks.ts";
import { analyseLeftClusters } from "./clusters/analyst.ts";
import { updateJob } from "./database/routes.ts";
import { assessPending } from "./golden/assess-images.ts";
import type { Queue } from "./jobs/queue.ts";
import { startJob } from "./jobs/start-job.ts";
import { keepForests, measureForests } from "./lineage/keep-forest.ts";
import { deliverNotifications } from "./notifications/deliver.ts";
import { syncJob } from "./registries/sync-job.ts";
import { endLateResponses, keepRuntimeDays, type Retention } from "./runtime-events/keep-runtime.ts";
import type { ScannerTools } from "./scans/tools.ts";
import { MAX_TENANTS, watchAdvisories } from "./scans/watch-advisories.ts";
import { runSchedules } from "./schedules/run-schedules.ts";
import { resealSecrets } from "./security/reseal.ts";
import type { SecretBox } from "./security/secret-box.ts";

const EVERY_MINUTE = "* * * * *";
const EVERY_HOUR = "47 * * * *";
/** Off the full hour, when everybody else asks. */
const EVERY_SIX_HOURS = "23 */6 * * *";
const SPARING = 19;
const DEFAULT_POLL_MINUTES = 60;

interface ScheduleDeps {
  readonly store: Store;
  readonly secrets: SecretBox;
  readonly queue: Queue;
  readonly tools: ScannerTools;
  readonly clock: () => Date;
  readonly log: FastifyBaseLogger;
  readonly publicUrl?: string | undefined;
  /** How long events are kept; 30 days and 50 GiB at most if left out. */
  readonly retention?: Retention | undefined;
}

/**
 * What happens by itself: registries are polled, schedules kept, new advisories find their images, and who wants to know is
 * told.
 */
export async function scheduleWork(deps: ScheduleDeps): Promise<void> {
  await deps.queue.schedule("bulwark-poll", EVERY_MINUTE, () => pollRegistries(deps));
  await deps.queue.schedule("bulwark-schedules", EVERY_MINUTE, () => runSchedules(deps));
  await deps.queue.schedule(
    "bulwark-advisories",
    EVERY_MINUTE,
    sparingly(deps.clock, () => watchAdvisories(deps)),
  );
  await deps.queue.schedule("bulwark-expiries", EVERY_MINUTE, () => reopenExpiries(deps));
  await deps.queue.schedule("bulwark-responses", EVERY_MINUTE, () => endLateResponses(deps));
  await deps.queue.schedule("bulwark-runtime-days", EVERY_HOUR, () => keepRuntimeDays(deps, deps.retention));
  await deps.queue.schedule("bulwark-forest", EVERY_MINUTE, () => keepForests(deps));
  await deps.queue.schedule("bulwark-assessments", EVERY_MINUTE, () => assessEstates(deps));
  await deps.queue.schedule("bulwark-clusters", EVERY_MINUTE, () => analyseLeftClusters(deps));
  await deps.queue.schedule("bulwark-baselines", EVERY_MINUTE, () => learnBaselines(deps));
  await deps.queue.schedule("bulwark-benchmarks", EVERY_MINUTE, () => runBenchmarks(deps));
  await deps.queue.schedule("bulwark-components", EVERY_MINUTE, () => matchComponents(deps));
  await deps.queue.schedule("bulwark-spread", EVERY_HOUR, () => measureForests(deps));
  await deps.queue.schedule("bulwark-update", EVERY_SIX_HOURS, () => updateAdvisories(deps));
  await deps.queue.schedule("bulwark-secrets", EVERY_HOUR, async () => {
    await deps.secrets.refresh();
    const { broken } = await resealSecrets(deps.store, deps.secrets);
    if (broken.length > 0) deps.log.error({ broken }, "stored secrets do not open");
  });
  await deps.queue.schedule("bulwark-notifications", EVERY_MINUTE, () => deliverNotifications(deps));
}

/** Runs work again only when twenty times as long as it took has passed: it takes a twentieth of the time at most. */
function sparingly(clock: () => Date, work: () => Promise<void>): () => Promise<void> {
  let notBefore = 0;
  return async () => {
    const began = clock().getTime();
    if (began < notBefore) return;
    await work();
    const ended = clock().getTime();
    notBefore = ended + (ended - began) * SPARING;
  };
}

/** A waiver ends with its day, whether or not anybody scans then. */
export async function reopenExpiries({ store, clock }: Pick<ScheduleDeps, "store" | "clock">): Promise<void> {
  for (const { id } of await listTenants(store, { limit: MAX_TENANTS })) {
    await store.tenant(id, (db) => reopenExpired(db, clock()));
  }
}

/** Images whose rules, findings or bases changed are judged anew. */
async function assessEstates({ store, clock }: ScheduleDeps): Promise<void> {
  for (const { id } of await listTenants(store, { limit: MAX_TENANTS })) await assessPending(store, id, clock);
}

async function updateAdvisories({ store, queue }: ScheduleDeps): Promise<void> {
  const job = await store.tenant(FIRST_TENANT, (db) => startJob(db, FIRST_TENANT, updateJob("", "schedule")));
  await job.enqueue({ store, queue });
}

async function pollRegistries({ store, queue, clock }: ScheduleDeps): Promise<void> {
  for (const { id: tenantId } of await listTenants(store, { limit: MAX_TENANTS })) {
    for (const registry of await store.tenant(tenantId, listRegistries)) {
      if (!isDue(registry, clock())) continue;
      const job = await store.tenant(tenantId, async (db) => {
        const pending = await pendingSync(db, registry.id, undefined, ["waiting", "parked", "running"]);
        return pending === undefined ? startJob(db, tenantId, syncJob(registry, "", "schedule")) : undefined;
      });
      await job?.enqueue({ store, queue });
    }
  }
}

function isDue({ kind, settings, triedAt, createdAt }: Registry, now: Date): boolean {
  const { pollMinutes = DEFAULT_POLL_MINUTES } = settings;
  if (kind === "local" || pollMinutes === 0) return false;
  return now.getTime() - Date.parse(triedAt ?? createdAt) > pollMinutes * 60_000;
}
