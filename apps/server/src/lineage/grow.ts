import { growForest, type Store } from "@bulwark/store";

/** Rounds after which growing pauses: the next image or minute goes on. */
const MAX_ROUNDS = 500;

/** Brings a tenant's forest up to date with its images. What follows from bases that came is noted, for `settleBases`. */
export async function growWhole(store: Store, tenantId: number): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (!(await store.tenant(tenantId, (db) => growForest(db)))) break;
  }
}
