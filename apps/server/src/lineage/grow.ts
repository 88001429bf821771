import { growForest, type Store } from "@bulwark/store";

/** Rounds after which growing pauses: the next image or minute goes on. */
const MAX_ROUNDS = 500;

/**
 * Brings a tenant's forest up to date with its images.
 *
 * @returns nodes that images which were there before stand on from now on
 */
export async function growWhole(store: Store, tenantId: number): Promise<readonly number[]> {
  const bases: number[] = [];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const growth = await store.tenant(tenantId, growForest);
    bases.push(...growth.bases);
    if (!growth.more) break;
  }
  return bases;
}
