import { announce, dropRuntimeDays, expireResponses, listTenants, makeRuntimeDays, type Store } from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import { MAX_TENANTS } from "../scans/watch-advisories.ts";

const GIB = 1024 ** 3;
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

/** Makes room for tomorrow's events, and drops days that are too old or take too much room. */
export async function keepRuntimeDays({ store, clock, log }: Deps, { days, gib } = DEFAULT_RETENTION): Promise<void> {
  await makeRuntimeDays(store, clock());
  const dropped = await dropRuntimeDays(store, { days, bytes: gib * GIB }, clock());
  if (dropped.length > 0) log.info({ days: dropped }, "events of these days are not kept any more");
}

/** Ends orders that nobody answered in time. */
export async function endLateResponses({ store, clock }: Deps): Promise<void> {
  for (const { id } of await listTenants(store, { limit: MAX_TENANTS })) {
    await store.tenant(id, async (db) => {
      if ((await expireResponses(db, clock())) > 0) await announce(db, { topic: "responses", id: "" });
    });
  }
}
