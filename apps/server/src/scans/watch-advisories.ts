import {
  applyMatches,
  countEstate,
  listTenants,
  refreshRisks,
  repositoriesOfImages,
  type Store,
  subjectsToMatch,
} from "@bulwark/store";
import { refreshCases } from "../cases/refresh-cases.ts";
import { matcherOf, stateOfDatabase } from "./match.ts";
import type { ScannerTools } from "./tools.ts";

/** More than one installation serves. */
export const MAX_TENANTS = 10_000;
/** Package versions that are matched in one transaction. */
const BATCH = 5_000;

export interface WatchDeps {
  readonly store: Store;
  readonly tools: ScannerTools;
  readonly clock: () => Date;
}

/** What a new state of advisories changed in the estate. */
export interface WatchResult {
  readonly subjects: number;
  readonly added: number;
  readonly removed: number;
  readonly images: number;
}

/**
 * Matches the distinct package versions of a tenant's estate with the newest advisories, as far as they were matched with
 * others; images, counts and risks follow without a scan. Does nothing where everything is matched already.
 */
export async function matchEstate({ store, tools, clock }: WatchDeps, tenantId: number): Promise<WatchResult> {
  const database = await tools.database();
  const match = matcherOf(database);
  const matchedWith = stateOfDatabase(database);
  const touched = new Set<number>();
  const total = { subjects: 0, added: 0, removed: 0 };
  for (;;) {
    const subjects = await store.tenant(tenantId, (db) => subjectsToMatch(db, matchedWith, BATCH));
    if (subjects.length === 0) break;
    const found = match(subjects);
    const sets = subjects.map(({ id }, index) => ({ subjectId: id, matches: found[index] ?? [] }));
    const applied = await store.tenant(tenantId, (db) => applyMatches(db, sets, { matchedWith, now: clock() }));
    for (const image of applied.images) touched.add(image);
    total.subjects += subjects.length;
    total.added += applied.added;
    total.removed += applied.removed;
  }
  if (touched.size > 0) await followUp(store, tenantId, [...touched], clock());
  return { ...total, images: touched.size };
}

async function followUp(store: Store, tenantId: number, images: readonly number[], now: Date): Promise<void> {
  const repositories = await store.tenant(tenantId, (db) => repositoriesOfImages(db, images));
  await store.tenant(tenantId, (db) => refreshRisks(db, { repositories }, now));
}

/** The same for every tenant, and the counts of the estate anew. */
export async function watchAdvisories(deps: WatchDeps): Promise<void> {
  for (const { id } of await listTenants(deps.store, { limit: MAX_TENANTS })) {
    await matchEstate(deps, id);
    await deps.store.tenant(id, (db) => refreshCases(db, deps.clock()));
    await deps.store.tenant(id, (db) => countEstate(db, deps.clock()));
  }
}
