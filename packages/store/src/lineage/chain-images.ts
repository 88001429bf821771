import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/** What is known of the images that end on a chain. */
export interface ChainImages {
  readonly chainId: number;
  readonly images: number;
  readonly live: number;
  /** Up to two repositories that have such an image. */
  readonly repositories: readonly number[];
  /** Stands for the others: the one that most images declare as their base, then the first that was seen. */
  readonly imageId: number;
  /** There when one of them declares a base. */
  readonly declares: boolean;
  /** Chain of the base that the first of them declares whose base is known; null where none is. */
  readonly declaredId: number | null;
}

/** Of the chains that images end on. */
export async function imagesOnChains(
  db: TenantQueries,
  chains: readonly number[],
): Promise<ReadonlyMap<number, ChainImages>> {
  const { rows } = await sql<ChainImages>`
    SELECT w.chain_id AS "chainId", held.images, held.live, standing.id AS "imageId",
      declaring.image_id IS NOT NULL AS declares, declaring.chain_id AS "declaredId",
      coalesce(places.repositories, '[]') AS repositories
    FROM unnest(${chains}::bigint[]) AS w(chain_id)
    CROSS JOIN LATERAL (SELECT count(*) AS images, count(*) FILTER (WHERE state <> 'gone') AS live
      FROM image i WHERE i.chain_id = w.chain_id) held
    CROSS JOIN LATERAL (SELECT i.id FROM image i WHERE i.chain_id = w.chain_id
      ORDER BY i.state = 'gone', ${declaredBy(sql`held.images`)} DESC, i.first_seen, i.digest LIMIT 1) standing
    LEFT JOIN LATERAL (SELECT i.id AS image_id, target.chain_id
      FROM image i LEFT JOIN LATERAL (${declaredImage(sql`i.declared_base`, sql`i.platform`)}) target ON true
      WHERE i.chain_id = w.chain_id AND i.declared_base IS NOT NULL
      ORDER BY target.chain_id IS NULL, i.first_seen, i.digest LIMIT 1) declaring ON true
    LEFT JOIN LATERAL (SELECT jsonb_agg(repository_id) AS repositories FROM (
      SELECT DISTINCT l.repository_id FROM image i JOIN image_location l ON l.image_id = i.id
      WHERE i.chain_id = w.chain_id LIMIT 2) seen) places ON true`.execute(db);
  return new Map(rows.map((row) => [row.chainId, row]));
}

/** How many images declare this one as their base; asked only where there is a choice. */
function declaredBy(images: ReturnType<typeof sql>) {
  return sql`CASE WHEN ${images} = 1 THEN 0 ELSE (SELECT count(*) FROM image c WHERE c.declared_base = i.digest) END`;
}

/** The image that a digest names: a manifest's, or the one for the same platform behind an index that a tag names or named. */
function declaredImage(digest: ReturnType<typeof sql>, platform: ReturnType<typeof sql>) {
  return sql<{ chain_id: number }>`
    SELECT chain_id FROM (
      SELECT b.chain_id, 0 AS rank FROM image b WHERE b.digest = ${digest} AND b.chain_id IS NOT NULL
      UNION ALL SELECT b.chain_id, 1 FROM tag t JOIN tag_image ti ON ti.tag_id = t.id JOIN image b ON b.id = ti.image_id
        WHERE t.digest = ${digest} AND b.platform = ${platform} AND b.chain_id IS NOT NULL
    ) named ORDER BY rank, chain_id LIMIT 1`;
}

/**
 * Chains whose images declare a base that may be known only now: one of the images on these chains.
 *
 * @returns the chains
 */
export async function chainsDeclaring(db: TenantQueries, chains: readonly number[]): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    WITH named AS (
      SELECT digest FROM image WHERE chain_id = ANY(${chains}::bigint[])
      UNION SELECT t.digest FROM image i JOIN tag_image ti ON ti.image_id = i.id JOIN tag t ON t.id = ti.tag_id
        WHERE i.chain_id = ANY(${chains}::bigint[]))
    SELECT DISTINCT n.chain_id AS id FROM named JOIN image c ON c.declared_base = named.digest
      JOIN lineage_node n ON n.chain_id = c.chain_id`.execute(db);
  return rows.map(({ id }) => id);
}
