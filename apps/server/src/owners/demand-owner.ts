import { findOwner, type TenantQueries } from "@bulwark/store";
import { notFound } from "../errors.ts";

/**
 * Refuses an owner that is not one of the tenant's. The database's own check of references looks past row-level security:
 * to it, another tenant's owner is as good as any.
 *
 * @throws ServerError `NOT_FOUND`
 */
export async function demandOwner(db: TenantQueries, ownerId: number | null | undefined): Promise<void> {
  if (ownerId == null) return;
  if ((await findOwner(db, ownerId)) === undefined) throw notFound("owner", ownerId);
}
