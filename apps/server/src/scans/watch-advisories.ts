import {
  type AppliedMatches,
  announce,
  applyMatches,
  countEstate,
  listTenants,
  refreshRisks,
  repositoriesOfImages,
  type Store,
  staleAssessments,
} from "@bulwark/store";
import { refreshCases } from "../cases/refresh-cases.ts";
import { assessPending } from "../golden/assess-images.ts";
import { settleBases } from "../rebuilds/settle-bases.ts";
import { matcherOf, stateOfDatabase } from "./match.ts";
import type { ScannerTools } from "./tools.ts";

/** More than one installation serves. */
export const MAX_TENANTS = 10_000;

export interface WatchDeps {
  readonly store: Store;
  readonly tools: ScannerTools;
  readonly clock: () => Date;
}

/**
 * Matches the distinct package versions of a tenant's estate with the newest advisories, as far as they were matched with
 * others; images, counts and risks follow without a scan. Does nothing where everything is matched already.
 */
export async function matchEstate({ store, tools, clock }: WatchDeps, tenantId: number): Promise<AppliedMatches> {
  const database = await tools.database();
  const matchedWith = stateOfDatabase(database);
  const { repositories, ...applied } = await store.tenant(tenantId, async (db) => {
    const applied = await applyMatches(db, matcherOf(database), { matchedWith, now: clock() });
    const { images, vulnerabilities } = applied;
    await staleAssessments(db, images);
    if (images.length > 0) await announce(db, { topic: "images", id: "advisories" });
    if (images.length === 0 || vulnerabilities.length === 0) return { ...applied, repositories: [] };
    const repositories = await repositoriesOfImages(db, images);
    await refreshRisks(db, { repositories, vulnerabilities }, clock());
    return { ...applied, repositories };
  });
  // A risk that comes without a scan has somebody who acts, too; and a newer base may lack what is known only now.
  if (repositories.length > 0) await settleBases(store, tenantId, { repositories }, clock());
  return applied;
}

/** The same for every tenant, and the counts of the estate anew. */
export async function watchAdvisories(deps: WatchDeps): Promise<void> {
  for (const { id } of await listTenants(deps.store, { limit: MAX_TENANTS })) {
    await matchEstate(deps, id);
    await assessPending(deps.store, id, deps.clock);
    await deps.store.tenant(id, (db) => refreshCases(db, deps.clock()));
    await deps.store.tenant(id, (db) => countEstate(db, deps.clock()));
  }
}
