import { type RawBuilder, sql } from "kysely";
import { isVisible, type Sight } from "../images/visible.ts";
import type { TenantQueries } from "../open-store.ts";

/** What the tags of a repository name and nobody uses: an image, or an index with all its images. */
export interface Zombie {
  readonly repositoryId: number;
  readonly registry: string;
  readonly repository: string;
  readonly digest: string;
  readonly tags: readonly string[];
  /** Bytes of its layers; what of them others share stays. */
  readonly sizeBytes: number;
  readonly owner: { readonly id: number; readonly name: string } | null;
  readonly firstSeen: string;
  readonly pulledAt: string | null;
}

export interface ZombieQuery {
  readonly sight: Sight;
  /** Unused for so many days. */
  readonly days: number;
  readonly now: Date;
  /** Of these alone: to look again before one is deleted. */
  readonly only?: { readonly repositoryId: number; readonly digest: string };
  readonly limit: number;
}

/**
 * Whatever nobody has used for some days: not new, not pulled, no container runs it or ran it since, nothing that is alive
 * stands on it, it is no golden image, and nobody holds it. What was not scanned is never among them, since nobody knows what stands on it. The
 * largest come first.
 */
export async function findZombies(db: TenantQueries, query: ZombieQuery): Promise<readonly Zombie[]> {
  const { sight, days, now, only, limit } = query;
  const cutoff = new Date(now.getTime() - days * 86_400_000);
  const meant =
    only === undefined ? sql`true` : sql`t.repository_id = ${only.repositoryId} AND t.digest = ${only.digest}`;
  const { rows } = await sql<Zombie>`
    WITH unit AS (
      SELECT t.repository_id, t.digest, array_agg(DISTINCT t.name ORDER BY t.name) AS tags, max(t.moved_at) AS moved_at
      FROM tag t WHERE t.gone_at IS NULL AND ${meant} GROUP BY 1, 2),
    member AS (
      SELECT DISTINCT u.repository_id, u.digest, ti.image_id FROM unit u
        JOIN tag t ON t.repository_id = u.repository_id AND t.digest = u.digest AND t.gone_at IS NULL
        JOIN tag_image ti ON ti.tag_id = t.id),
    unused AS (
      SELECT m.repository_id, m.digest, sum(i.size_bytes) AS size_bytes, min(i.first_seen) AS first_seen, max(i.pulled_at) AS pulled_at
      FROM member m JOIN image i ON i.id = m.image_id
      GROUP BY 1, 2 HAVING bool_and(${isUnused(cutoff)} AND ${isVisible(sight)}))
    SELECT u.repository_id AS "repositoryId", g.name AS registry, r.name AS repository, u.digest, u.tags,
      n.size_bytes AS "sizeBytes", CASE WHEN o.id IS NULL THEN NULL ELSE jsonb_build_object('id', o.id, 'name', o.name) END AS owner,
      to_json(n.first_seen)#>>'{}' AS "firstSeen", to_json(n.pulled_at)#>>'{}' AS "pulledAt"
    FROM unit u JOIN unused n USING (repository_id, digest) JOIN repository r ON r.id = u.repository_id
      JOIN registry g ON g.id = r.registry_id LEFT JOIN owner o ON o.id = coalesce(r.owner_id, g.owner_id)
    -- What stands for scanned hosts is no image.
    WHERE NOT (g.kind = 'local' AND g.address = 'local') AND u.moved_at < ${cutoff} AND NOT ${isRunning(cutoff)} AND NOT EXISTS (
        SELECT FROM cleanup_hold h WHERE h.repository_id = u.repository_id AND (h.tag = '' OR h.tag = ANY(u.tags))
          AND (h.until IS NULL OR h.until >= ${now}::date))
    ORDER BY n.size_bytes DESC, u.repository_id, u.digest LIMIT ${limit}`.execute(db);
  return rows;
}

/** Condition on an image `i`. */
function isUnused(cutoff: Date): RawBuilder<unknown> {
  return sql`(i.state = 'scanned' AND i.first_seen < ${cutoff} AND (i.pulled_at IS NULL OR i.pulled_at < ${cutoff})
    AND NOT EXISTS (SELECT FROM lineage_node n WHERE n.chain_id = i.chain_id AND n.beneath > 0)
    AND NOT EXISTS (SELECT FROM golden_version v WHERE v.image_id = i.id AND v.state IN ('published', 'at-risk'))
    AND NOT EXISTS (SELECT FROM image c WHERE c.declared_base IN (i.digest, m.digest) AND c.state <> 'gone' AND c.id <> i.id))`;
}

/** Whether a container runs what `u` names, or did since; runtimes name an image by manifest, index, or name alone. */
function isRunning(cutoff: Date): RawBuilder<unknown> {
  return sql`EXISTS (SELECT FROM container k WHERE coalesce(k.stopped_at, k.seen_at) >= ${cutoff} AND (
    k.image_digest = u.digest
    OR k.image_digest IN (SELECT i.digest FROM member m JOIN image i ON i.id = m.image_id
      WHERE m.repository_id = u.repository_id AND m.digest = u.digest)
    OR ((k.image_digest = '' OR g.kind = 'local') AND EXISTS (SELECT FROM unnest(u.tags) AS tag WHERE k.image LIKE '%' || r.name || ':' || tag))))`;
}
