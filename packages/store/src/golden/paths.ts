import { type RawBuilder, sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

export type GoldenVersionState = "published" | "at-risk" | "deprecated" | "revoked";

/** A known image on the way of layers that another stands on. */
export interface BaseOnPath {
  readonly chain: string;
  readonly layers: number;
  /** Registry, repository and tag or digest. */
  readonly reference: string;
  readonly digest: string;
  /** What names it, and what named it before. */
  readonly tags: readonly string[];
  /** Host of its registry. */
  readonly host: string;
  readonly golden: GoldenVersionState | null;
  /** Golden image and version that it is. */
  readonly goldenId: number | null;
  readonly versionId: number | null;
  /** The only repository of all that stands on it, and of itself; null where there are several. */
  readonly onlyRepository: { readonly name: string; readonly registry: string; readonly host: string } | null;
}

const HOST = (address: string) =>
  sql`regexp_replace(regexp_replace(${sql.ref(address)}, '^[a-z]+://', ''), '/.*$', '')`;

/** Of equal chains the worst counts: nobody gets round a revocation by giving the image another name. */
const GOLDEN_OF_CHAIN = sql`
  SELECT v.id, v.golden_id, v.image_id, v.state FROM golden_version v WHERE v.chain = c.digest
  ORDER BY array_position(ARRAY['revoked', 'at-risk', 'published', 'deprecated'], v.state), v.id DESC LIMIT 1`;

/** @param c chain, n node of it, g golden version of it; rows keep the columns that `key` names */
function describe(
  key: RawBuilder<unknown>,
  from: RawBuilder<unknown>,
): RawBuilder<BaseOnPath & { readonly key: number }> {
  return sql`
    WITH way AS (${from})
    SELECT ${key}, c.digest AS chain, c.depth + 1 AS layers, coalesce(b.digest, '') AS digest,
      coalesce(place.registry || '/' || place.repository || CASE WHEN named.names = '{}' THEN '@' || b.digest ELSE ':' || named.names[1] END, '')
        AS reference,
      coalesce(named.names, '{}') AS tags, coalesce(place.host, '') AS host, w.golden_state AS golden, w.golden_id AS "goldenId",
      w.version_id AS "versionId",
      CASE WHEN w.several OR r.id IS NULL THEN NULL ELSE
        jsonb_build_object('name', r.name, 'registry', rg.name, 'host', ${HOST("rg.address")}) END AS "onlyRepository"
    FROM way w JOIN chain c ON c.id = w.chain_id LEFT JOIN image b ON b.id = w.base_id
      LEFT JOIN repository r ON r.id = w.repository_id LEFT JOIN registry rg ON rg.id = r.registry_id
      LEFT JOIN LATERAL (
        SELECT o.id AS repository_id, g.name AS registry, o.name AS repository, ${HOST("g.address")} AS host
        FROM image_location l JOIN repository o ON o.id = l.repository_id JOIN registry g ON g.id = o.registry_id
        WHERE l.image_id = b.id ORDER BY l.gone_at IS NOT NULL, o.id LIMIT 1) place ON true
      LEFT JOIN LATERAL (
        SELECT coalesce(array_agg(name ORDER BY name = 'latest', is_past, name), '{}') AS names FROM (
          SELECT t.name, min(past::int) > 0 AS is_past FROM (
            SELECT ti.tag_id, t.gone_at IS NOT NULL AS past FROM tag_image ti JOIN tag t ON t.id = ti.tag_id WHERE ti.image_id = b.id
            UNION ALL SELECT m.tag_id, true FROM tag_move m WHERE m.image_id = b.id) held
            JOIN tag t ON t.id = held.tag_id WHERE t.repository_id = place.repository_id GROUP BY 1) each) named ON true
    ORDER BY c.depth`;
}

/**
 * What images stand on by their layers, the lowest first. What they, or their builders, say of it is not asked.
 *
 * @returns by image
 */
export async function basesOfImages(
  db: TenantQueries,
  images: readonly number[],
): Promise<ReadonlyMap<number, readonly BaseOnPath[]>> {
  const way = sql`
    SELECT i.id AS key, ic.chain_id, coalesce(g.image_id, n.image_id) AS base_id, g.state AS golden_state, g.golden_id,
      g.id AS version_id, coalesce(n.several, false) AS several, n.repository_id
    FROM image i JOIN image_chain ic ON ic.image_id = i.id JOIN chain c ON c.id = ic.chain_id
      LEFT JOIN lineage_node n ON n.chain_id = ic.chain_id LEFT JOIN LATERAL (${GOLDEN_OF_CHAIN}) g ON true
    WHERE i.id = ANY(${images}::bigint[]) AND ((ic.chain_id <> i.chain_id AND n.images > 0)
      -- An image may be a golden one with another configuration: no layer of its own.
      OR (g.id IS NOT NULL AND NOT EXISTS (SELECT FROM golden_version v WHERE v.image_id = i.id AND i.chain_id = ic.chain_id)))`;
  const { rows } = await describe(sql`w.key`, way).execute(db);
  const bases = new Map<number, BaseOnPath[]>();
  for (const { key, ...base } of rows) bases.set(key, [...(bases.get(key) ?? []), base]);
  return bases;
}

/**
 * The same for an image that was never pushed.
 *
 * @param chains ChainIDs of its layers, the lowest first
 */
export async function basesOfChains(db: TenantQueries, chains: readonly string[]): Promise<readonly BaseOnPath[]> {
  const top = chains.at(-1) ?? "";
  const way = sql`
    SELECT 0 AS key, c.id AS chain_id, coalesce(g.image_id, n.image_id) AS base_id, g.state AS golden_state, g.golden_id,
      g.id AS version_id, coalesce(n.several, false) AS several, n.repository_id
    FROM chain c LEFT JOIN lineage_node n ON n.chain_id = c.id LEFT JOIN LATERAL (${GOLDEN_OF_CHAIN}) g ON true
    WHERE c.digest = ANY(${chains}::text[]) AND (g.id IS NOT NULL OR (n.images > 0 AND c.digest <> ${top}))`;
  const { rows } = await describe(sql`w.key`, way).execute(db);
  return rows.map(({ key: _key, ...base }) => base);
}
