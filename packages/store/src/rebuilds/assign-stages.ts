import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/**
 * Finds for the open risks of repositories which stage brought them, and who acts: a finding belongs to the owner of the
 * layer that brought it in, whoever stands on it. Where nobody owns that stage the repository's own owner is told.
 */
export async function assignStages(db: TenantQueries, repositories: readonly number[]): Promise<void> {
  if (repositories.length === 0) return;
  await sql`
    WITH live AS (
      SELECT DISTINCT t.repository_id, i.id AS image_id
      FROM tag t JOIN tag_image ti ON ti.tag_id = t.id JOIN image i ON i.id = ti.image_id
      WHERE t.repository_id = ANY(${repositories}::bigint[]) AND t.gone_at IS NULL AND i.state = 'scanned'),
    subjects AS (
      SELECT l.repository_id, l.image_id, cs.subject_id, cs.from_depth
      FROM live l JOIN image_chain ic USING (image_id) JOIN chain_subject cs USING (chain_id)
      GROUP BY 1, 2, 3, 4 HAVING sum(cs.delta) > 0),
    facts AS (
      SELECT l.repository_id, l.image_id, cc.fact_id, cc.from_depth
      FROM live l JOIN image_chain ic USING (image_id) JOIN chain_content cc USING (chain_id)
      GROUP BY 1, 2, 3, 4 HAVING sum(cc.delta) > 0
      UNION SELECT l.repository_id, l.image_id, ic.fact_id, ic.depth FROM live l JOIN image_content ic USING (image_id)),
    brought AS (
      SELECT h.repository_id, m.vulnerability_id || ' ' || s.name AS key, h.image_id, h.from_depth
      FROM subjects h JOIN subject_match m USING (subject_id) JOIN subject s ON s.id = h.subject_id
      UNION ALL SELECT h.repository_id, f.rule_id || ' ' || f.path || ' ' || f.fingerprint, h.image_id, h.from_depth
      FROM facts h JOIN content_fact f ON f.id = h.fact_id),
    -- The newest image speaks for its repository, and of several layers the lowest: what is fixed there is fixed above.
    chosen AS (
      SELECT DISTINCT ON (b.repository_id, b.key) k.id AS risk_id, b.image_id, b.from_depth
      FROM brought b JOIN risk k ON k.repository_id = b.repository_id AND k.key = b.key AND k.state <> 'fixed'
      ORDER BY b.repository_id, b.key, b.image_id DESC, b.from_depth),
    staged AS (
      SELECT c.risk_id, stage.chain_id AS stage_id, stage.image_id AS stage_image_id,
        CASE WHEN stage.chain_id = i.chain_id OR stage.chain_id IS NULL THEN 'own' ELSE 'base' END AS verdict,
        coalesce(owning.owner_id, own.owner_id) AS actor_id
      FROM chosen c JOIN image i ON i.id = c.image_id
        LEFT JOIN LATERAL (SELECT n.chain_id, n.image_id FROM image_chain ic JOIN lineage_node n ON n.chain_id = ic.chain_id
          WHERE ic.image_id = c.image_id AND n.layers > c.from_depth AND (n.images > 0 OR n.several)
          ORDER BY n.layers LIMIT 1) stage ON true
        LEFT JOIN LATERAL (${nearestOwner("stage.image_id")}) owning ON true
        LEFT JOIN LATERAL (${nearestOwner("c.image_id")}) own ON true)
    UPDATE risk k SET stage_id = s.stage_id, stage_image_id = s.stage_image_id, verdict = s.verdict, actor_id = s.actor_id
    FROM staged s WHERE k.id = s.risk_id AND (k.stage_id, k.stage_image_id, k.verdict, k.actor_id)
      IS DISTINCT FROM (s.stage_id, s.stage_image_id, s.verdict, s.actor_id)`.execute(db);
}

const PLACED = {
  image: sql`SELECT id FROM image WHERE id = `,
  repository: sql`SELECT image_id FROM image_location WHERE repository_id = `,
  registry: sql`SELECT l.image_id FROM image_location l JOIN repository r ON r.id = l.repository_id WHERE r.registry_id = `,
};

/** Who acts on the risks that images of a place brought, or that its repositories have, after its owner changed. */
export async function reassignActors(
  db: TenantQueries,
  place: "image" | "repository" | "registry",
  id: number,
): Promise<void> {
  await sql`
    WITH placed AS (${PLACED[place]}${id}),
    concerned AS (
      SELECT k.id, k.stage_image_id, k.repository_id FROM risk k
      WHERE k.verdict IS NOT NULL AND k.state <> 'fixed' AND (k.stage_image_id IN (SELECT * FROM placed)
        OR k.repository_id IN (SELECT repository_id FROM image_location WHERE image_id IN (SELECT * FROM placed)))),
    acting AS (
      SELECT c.id, coalesce(owning.owner_id, r.owner_id, g.owner_id) AS actor_id
      FROM concerned c JOIN repository r ON r.id = c.repository_id JOIN registry g ON g.id = r.registry_id
        LEFT JOIN LATERAL (${nearestOwner("c.stage_image_id")}) owning ON true)
    UPDATE risk k SET actor_id = a.actor_id FROM acting a WHERE k.id = a.id AND k.actor_id IS DISTINCT FROM a.actor_id`.execute(
    db,
  );
}

/** The owner of an image: its own, else its repository's, else its registry's. */
function nearestOwner(image: string) {
  return sql`
    SELECT coalesce(i.owner_id, min(coalesce(r.owner_id, g.owner_id))) AS owner_id
    FROM image i LEFT JOIN image_location l ON l.image_id = i.id LEFT JOIN repository r ON r.id = l.repository_id
      LEFT JOIN registry g ON g.id = r.registry_id
    WHERE i.id = ${sql.ref(image)} GROUP BY i.id`;
}

/** Repositories with open risks whose images stand on one of these nodes. */
export async function repositoriesAtRisk(db: TenantQueries, nodes: readonly number[]): Promise<readonly number[]> {
  if (nodes.length === 0) return [];
  const { rows } = await sql<{ id: number }>`
    SELECT DISTINCT l.repository_id AS id FROM image_chain ic JOIN image_location l ON l.image_id = ic.image_id
    WHERE ic.chain_id = ANY(${nodes}::bigint[]) AND l.gone_at IS NULL
      AND EXISTS (SELECT FROM risk k WHERE k.repository_id = l.repository_id AND k.state <> 'fixed')`.execute(db);
  return rows.map(({ id }) => id);
}
