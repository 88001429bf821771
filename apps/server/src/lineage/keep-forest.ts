import { countForestChanges, hasFreshBases, latestSpread, listTenants, type Store, saveSpread } from "@bulwark/store";
import { settleBases } from "../rebuilds/settle-bases.ts";
import { MAX_TENANTS } from "../scans/watch-advisories.ts";
import { workOnForest } from "./forest-work.ts";
import { growWhole } from "./grow.ts";

/** More changed chains than this are not worked off one by one: building the forest anew takes less. */
const REBUILD_FROM = 20_000;

/** Of one tenant at a time: others wait for their turn, and the next minute goes on. */
const ROUNDS = 20;

interface ForestDeps {
  readonly store: Store;
  readonly clock: () => Date;
}

/** What no scan or synchronisation took up, as after a server's death, is taken up here. */
export async function keepForests({ store, clock }: ForestDeps): Promise<void> {
  for (const { id } of await listTenants(store, { limit: MAX_TENANTS })) {
    const changes = await store.tenant(id, countForestChanges);
    const spread = await store.tenant(id, latestSpread);
    const isOld = spread === undefined || spread.measuredAt.slice(0, 10) !== clock().toISOString().slice(0, 10);
    if (changes > REBUILD_FROM || isOld) await measureTenant({ store, clock }, id);
    else if (changes > 0) await growWhole(store, id);
    // Noted with the forest, however it came up to date: what this process does not come to, the next minute does.
    for (let round = 0; round < ROUNDS && (await store.tenant(id, hasFreshBases)); round++)
      await settleBases(store, id, {}, clock());
  }
}

/** Builds every tenant's forest anew, so that the spread and the risk of stages are those of now. */
export async function measureForests(deps: ForestDeps): Promise<void> {
  for (const { id } of await listTenants(deps.store, { limit: MAX_TENANTS })) await measureTenant(deps, id);
}

export async function measureTenant({ store, clock }: ForestDeps, tenantId: number): Promise<void> {
  const now = clock();
  const spread = await workOnForest(store, tenantId, { kind: "measure", now: now.getTime() });
  await store.tenant(tenantId, (db) => saveSpread(db, spread, now));
}
