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
 * stands on it, it is no golden image, and nobody holds it. An image that other tags of its repository name as well, as a part of an index,
 * is unused when they are, too: it cannot be deleted without them. What was not scanned is never among them, since nobody knows what stands
 * on it. The largest come first.
 */
export async function findZombies(db: TenantQueries, query: ZombieQuery): Promise<readonly Zombie[]> {
  const { sight, days, now, only, limit } = query;
  const cutoff = new Date(now.getTime() - days * 86_400_000);
  const { rows } = await sql<Zombie>`
    WITH unit AS (
      SELECT t.repository_id, t.digest, array_agg(DISTINCT t.name ORDER BY t.name) AS tags, max(t.moved_at) AS moved_at
      FROM tag t WHERE t.gone_at IS NULL AND ${isMeant(only)} GROUP BY 1, 2),
    member AS (
      SELECT DISTINCT u.repository_id, u.digest, ti.image_id FROM unit u
        JOIN tag t ON t.repository_id = u.repository_id AND t.digest = u.digest AND t.gone_at IS NULL
        JOIN tag_image ti ON ti.tag_id = t.id),
    ran AS (
      SELECT k.image_digest AS digest, k.image FROM container k WHERE coalesce(k.stopped_at, k.seen_at) >= ${cutoff}
      -- On nodes without a sensor only the cluster tells of pods, and forgets them when they end.
      UNION SELECT p.image_digest, p.image FROM pod_container p),
    -- Runtimes name an image by its own digest or by that of an index, which a tag may have left since.
    running AS (
      SELECT i.id AS image_id FROM ran JOIN image i USING (digest) WHERE i.id IN (SELECT image_id FROM member)
      UNION SELECT m.image_id FROM ran JOIN running_image m USING (digest) WHERE m.image_id IN (SELECT image_id FROM member)
      UNION SELECT x.image_id FROM ran JOIN index_image x USING (digest) WHERE x.image_id IN (SELECT image_id FROM member)),
    unused AS (
      SELECT m.repository_id, m.digest, sum(i.size_bytes) AS size_bytes, min(i.first_seen) AS first_seen, max(i.pulled_at) AS pulled_at
      FROM member m JOIN image i ON i.id = m.image_id LEFT JOIN running ON running.image_id = i.id
      GROUP BY 1, 2 HAVING bool_and(running.image_id IS NULL AND ${isUnused(cutoff)} AND ${isVisible(sight)})),
    idle AS (
      SELECT u.*, n.size_bytes, n.first_seen, n.pulled_at
      FROM unit u JOIN unused n USING (repository_id, digest) JOIN repository r ON r.id = u.repository_id
        JOIN registry g ON g.id = r.registry_id
      -- What stands for scanned hosts is no image.
      WHERE NOT (g.kind = 'local' AND g.address = 'local') AND u.moved_at < ${cutoff} AND NOT ${isRunning} AND NOT EXISTS (
        SELECT FROM cleanup_hold h WHERE h.repository_id = u.repository_id AND (h.tag = '' OR h.tag = ANY(u.tags))
          AND (h.until IS NULL OR h.until >= ${now}::date))),
    -- Deleting an image deletes it for every index that has it.
    needed AS (
      SELECT DISTINCT own.repository_id, own.digest
      FROM member own JOIN image i ON i.id = own.image_id AND i.digest = own.digest
        JOIN member other ON other.repository_id = own.repository_id AND other.image_id = own.image_id AND other.digest <> own.digest
        LEFT JOIN idle ON idle.repository_id = other.repository_id AND idle.digest = other.digest
      WHERE idle.digest IS NULL)
    SELECT u.repository_id AS "repositoryId", g.name AS registry, r.name AS repository, u.digest, u.tags,
      u.size_bytes AS "sizeBytes", CASE WHEN o.id IS NULL THEN NULL ELSE jsonb_build_object('id', o.id, 'name', o.name) END AS owner,
      to_json(u.first_seen)#>>'{}' AS "firstSeen", to_json(u.pulled_at)#>>'{}' AS "pulledAt"
    FROM idle u LEFT JOIN needed USING (repository_id, digest) JOIN repository r ON r.id = u.repository_id
      JOIN registry g ON g.id = r.registry_id LEFT JOIN owner o ON o.id = coalesce(r.owner_id, g.owner_id)
    WHERE needed.digest IS NULL AND ${only === undefined ? sql`true` : sql`u.digest = ${only.digest}`}
    ORDER BY u.size_bytes DESC, u.repository_id, u.digest LIMIT ${limit}`.execute(db);
  return rows;
}

/** Condition on a tag `t`: it names what is asked for, itself or as a part of an index. */
function isMeant(only: ZombieQuery["only"]): RawBuilder<unknown> {
  if (only === undefined) return sql`true`;
  return sql`(t.repository_id = ${only.repositoryId} AND (t.digest = ${only.digest} OR EXISTS (
    SELECT FROM tag_image ti JOIN image i ON i.id = ti.image_id WHERE ti.tag_id = t.id AND i.digest = ${only.digest})))`;
}

/** Condition on an image `i`. */
function isUnused(cutoff: Date): RawBuilder<unknown> {
  return sql`(i.state = 'scanned' AND i.first_seen < ${cutoff} AND (i.pulled_at IS NULL OR i.pulled_at < ${cutoff})
    AND NOT EXISTS (SELECT FROM lineage_node n WHERE n.chain_id = i.chain_id AND n.beneath > 0)
    AND NOT EXISTS (SELECT FROM golden_version v WHERE v.image_id = i.id AND v.state IN ('published', 'at-risk'))
    AND NOT EXISTS (SELECT FROM image c WHERE c.declared_base IN (i.digest, m.digest) AND c.state <> 'gone' AND c.id <> i.id))`;
}

/** Whether a container runs what `u` names, or did since, as far as its images do not tell: by the unit's digest, or by name alone. */
const isRunning = sql`(u.digest IN (SELECT digest FROM ran)
  OR EXISTS (SELECT FROM ran WHERE (ran.digest = '' OR g.kind = 'local')
    AND EXISTS (SELECT FROM unnest(u.tags) AS tag WHERE ran.image LIKE '%' || r.name || ':' || tag)))`;
