import { type RawBuilder, sql } from "kysely";

/** Owners whose images may be seen; undefined: all images of the tenant. */
export type Sight = readonly number[] | undefined;

/** Condition on an image `i`: its nearest owner is one of these. */
export function isVisible(owners: Sight): RawBuilder<boolean> {
  if (owners === undefined) return sql<boolean>`true`;
  return sql<boolean>`(i.owner_id = ANY(${owners}) OR (i.owner_id IS NULL AND i.id IN (
    SELECT l.image_id FROM image_location l JOIN repository r ON r.id = l.repository_id JOIN registry g ON g.id = r.registry_id
    WHERE l.gone_at IS NULL AND coalesce(r.owner_id, g.owner_id) = ANY(${owners}))))`;
}

/** Makes a pattern for ILIKE of what somebody typed. */
export function containing(text: string): string {
  return `%${text.replace(/[\\%_]/g, "\\$&")}%`;
}
