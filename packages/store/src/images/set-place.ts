import type { TenantQueries } from "../open-store.ts";
import { reassignActors } from "../rebuilds/assign-stages.ts";

/** What a place passes on to everything below it; what is left out stays as it is. */
export interface PlaceChange {
  readonly ownerId?: number | null;
  readonly grade?: string | null;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Sets owner, business grade and labels of an image, of a repository or of a registry. */
export async function setPlace(
  db: TenantQueries,
  place: "image" | "repository" | "registry",
  id: number,
  { ownerId, grade, labels }: PlaceChange,
): Promise<void> {
  const values = {
    ...(ownerId === undefined ? {} : { owner_id: ownerId }),
    ...(grade === undefined ? {} : { grade }),
    ...(labels === undefined ? {} : { labels: JSON.stringify(labels) }),
  };
  if (Object.keys(values).length === 0) return;
  await db.updateTable(place).set(values).where("id", "=", id).execute();
  if (ownerId !== undefined) await reassignActors(db, place, id);
}
