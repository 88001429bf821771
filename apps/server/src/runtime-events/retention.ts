import { FIRST_TENANT, readSetting, type Store, type TenantQueries, writeSetting } from "@bulwark/store";

const OWN = "runtime-retention";
/** Kept with the first tenant: which worker keeps events how long, the API does not know otherwise. */
const BOUND = "runtime-retention-bound";

/** How long a tenant keeps its events, in days; null for as long as the installation does. */
export interface TenantRetention {
  readonly days: number | null;
  /** The first day of which it has events: those before were dropped. */
  readonly droppedUntil?: string;
}

/** How long events are kept at most, and how much room they take. */
export interface RetentionBound {
  readonly days: number;
  readonly gib: number;
}

export async function readTenantRetention(db: TenantQueries): Promise<TenantRetention> {
  return ((await readSetting(db, OWN)) as TenantRetention | undefined) ?? { days: null };
}

export async function writeTenantRetention(db: TenantQueries, tenantId: number, kept: TenantRetention): Promise<void> {
  await writeSetting(db, tenantId, OWN, kept);
}

/** What the worker was started with, for those who ask. */
export async function tellBound(store: Store, { days, gib }: RetentionBound): Promise<void> {
  await store.tenant(FIRST_TENANT, (db) => writeSetting(db, FIRST_TENANT, BOUND, { days, gib }));
}

/** Null while no worker has told it. */
export async function readBound(store: Store): Promise<RetentionBound | null> {
  return store.tenant(
    FIRST_TENANT,
    async (db) => ((await readSetting(db, BOUND)) as RetentionBound | undefined) ?? null,
  );
}
