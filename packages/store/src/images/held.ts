import { type RawBuilder, sql } from "kysely";

/**
 * What an image holds is the sum of the changes of its chains. Each of these is a subquery over one image; `from_depth` is
 * the layer that brought the row.
 */
export function heldSubjects(image: number): RawBuilder<unknown> {
  return sql`(SELECT cs.subject_id, cs.from_depth FROM image_chain ic JOIN chain_subject cs USING (chain_id)
    WHERE ic.image_id = ${image} GROUP BY 1, 2 HAVING sum(cs.delta) > 0)`;
}

export function heldPackages(image: number): RawBuilder<unknown> {
  return sql`(SELECT cp.package_id, cp.from_depth, cp.path, max(cp.evidence) AS evidence
    FROM image_chain ic JOIN chain_package cp USING (chain_id)
    WHERE ic.image_id = ${image} GROUP BY 1, 2, 3 HAVING sum(cp.delta) > 0)`;
}

export function heldContent(image: number): RawBuilder<unknown> {
  return sql`(SELECT fact_id, from_depth, removed_at FROM (
      SELECT cc.fact_id, cc.from_depth, max(cc.removed_at) AS removed_at, sum(cc.delta) AS held
      FROM image_chain ic JOIN chain_content cc USING (chain_id)
      WHERE ic.image_id = ${image} GROUP BY 1, 2) summed WHERE held > 0
    UNION ALL SELECT fact_id, depth, NULL FROM image_content WHERE image_id = ${image})`;
}
