import { type RawBuilder, sql } from "kysely";

/** Condition on an image `i`: its layers stand on this node, and it does not end there. */
export function standsOnNode(id: number): RawBuilder<boolean> {
  return sql<boolean>`(i.chain_id <> ${id} AND i.id IN (SELECT ic.image_id FROM image_chain ic WHERE ic.chain_id = ${id}))`;
}
