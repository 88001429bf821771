import { type RawBuilder, sql } from "kysely";

/** Condition on a waiver `w`: it was approved, and its time is not up. */
export function isInForce(now: Date | undefined): RawBuilder<boolean> {
  return sql<boolean>`(w.approved_by IS NOT NULL AND w.until >= coalesce(${now ?? null}::timestamptz, now())::date)`;
}

/**
 * Condition on a waiver `w`: it is one of an image's. What lies in several places is waived where all of them are: nobody
 * waives for others.
 */
export function isOfImage(image: number): RawBuilder<boolean> {
  return sql<boolean>`(w.scope = 'tenant' OR (w.scope = 'image' AND w.scope_id = ${image}) OR (w.scope IN ('registry', 'repository')
    AND (SELECT bool_and(w.scope_id = CASE w.scope WHEN 'registry' THEN r.registry_id ELSE r.id END)
      FROM image_location l JOIN repository r ON r.id = l.repository_id WHERE l.image_id = ${image} AND l.gone_at IS NULL)))`;
}
