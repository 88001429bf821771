import { getCluster, type TenantQueries } from "@bulwark/store";
import { notFound } from "../errors.ts";

/** @throws ServerError `NOT_FOUND` for a cluster that is named and that there is not */
export async function demandCluster(db: TenantQueries, id: number | undefined, now: Date): Promise<void> {
  if (id !== undefined && (await getCluster(db, id, now)) === undefined) throw notFound("cluster", id);
}
