import {
  announce,
  dropRuntimeDays,
  dropStoppedContainers,
  dropTenantEvents,
  expireResponses,
  listTenants,
  makeRuntimeDays,
  type Store,
  type TenantQueries,
} from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import { advanceUpgrades } from "../nodes/advance-upgrade.ts";
import { MAX_TENANTS } from "../scans/watch-advisories.ts";
import { readTenantRetention, tellBound, writeTenantRetention } from "./retention.ts";

const GIB = 1024 ** 3;
const DAY_MS = 86_400_000;
const CONTAINERS_AT_ONCE = 5_000;
/** How long events are kept, and how much room they take at most. */
export interface Retention {
  readonly days: number;
  readonly gib: number;
}

/** Where nobody says otherwise. */
export const DEFAULT_RETENTION: Retention = { days: 30, gib: 50 };

interface Deps {
  readonly store: Store;
  readonly clock: () => Date;
  readonly log: FastifyBaseLogger;
}

/**
 * Makes room for tomorrow's events, and drops days that are too old or take too much room. Containers that ended are forgotten with them,
 * but for the last of each image.
 */
export async function keepRuntimeDays({ store, clock, log }: Deps, { days, gib } = DEFAULT_RETENTION): Promise<void> {
  await makeRuntimeDays(store, clock());
  const dropped = await dropRuntimeDays(store, { days, bytes: gib * GIB }, clock());
  if (dropped.length > 0) log.info({ days: dropped }, "events of these days are not kept any more");
  await tellBound(store, { days, gib });
  for (const { id } of await listTenants(store, { limit: MAX_TENANTS })) {
    await store.tenant(id, (db) => dropUnwanted(db, id, days, clock()));
    await forgetContainers(store, id, new Date(clock().getTime() - days * DAY_MS));
  }
}

/** Each batch by itself: nodes wait for none of them. */
async function forgetContainers(store: Store, tenantId: number, before: Date): Promise<void> {
  let dropped: number;
  do dropped = await store.tenant(tenantId, (db) => dropStoppedContainers(db, before, CONTAINERS_AT_ONCE));
  while (dropped === CONTAINERS_AT_ONCE);
}

/** What a tenant does not want to keep for as long as the installation does. */
async function dropUnwanted(db: TenantQueries, tenantId: number, bound: number, now: Date): Promise<void> {
  const { days, droppedUntil } = await readTenantRetention(db);
  if (days === null || days >= bound) return;
  const until = await dropTenantEvents(db, days, droppedUntil, now);
  if (until !== droppedUntil) await writeTenantRetention(db, tenantId, { days, droppedUntil: until });
}

/** Ends orders that nobody answered in time, and goes on with what waited for them. */
export async function endLateResponses({ store, clock }: Deps): Promise<void> {
  for (const { id } of await listTenants(store, { limit: MAX_TENANTS })) {
    await store.tenant(id, async (db) => {
      if ((await expireResponses(db, clock())) > 0) await announce(db, { topic: "responses", id: "" });
      await advanceUpgrades(db, clock());
    });
  }
}
