import { sql } from "kysely";
import { announce } from "../jobs/events.ts";
import { giveNotice } from "../notifications/notices.ts";
import type { TenantQueries } from "../open-store.ts";
import { MAKES_RISK } from "../risks/refresh-risks.ts";

/** A base that was superseded by another, and what the new one does not have any more. */
export interface FixedBase {
  readonly baseRepositoryId: number;
  readonly fromImageId: number;
  readonly toImageId: number;
  readonly toTag: string;
}

/**
 * Pairs of an image that a tag named before and the one that it names now, for the same platform, where one of these images
 * was just scanned.
 */
export async function movedBases(
  db: TenantQueries,
  of: { readonly images: readonly number[]; readonly repositories: readonly number[] },
): Promise<readonly FixedBase[]> {
  const { rows } = await sql<FixedBase>`
    SELECT DISTINCT ON (m.image_id, now.id) t.repository_id AS "baseRepositoryId", m.image_id AS "fromImageId", now.id AS "toImageId",
      t.name AS "toTag"
    FROM tag_move m JOIN tag t ON t.id = m.tag_id JOIN image old ON old.id = m.image_id
      JOIN lineage_node n ON n.chain_id = old.chain_id AND n.beneath > 0
      JOIN tag_image ti ON ti.tag_id = t.id JOIN image now ON now.id = ti.image_id
    WHERE t.gone_at IS NULL AND now.platform = old.platform AND now.id <> old.id AND now.state = 'scanned'
      AND (now.id = ANY(${of.images}::bigint[]) OR old.id = ANY(${of.images}::bigint[])
        OR t.repository_id = ANY(${of.repositories}::bigint[]))
    ORDER BY m.image_id, now.id, t.name`.execute(db);
  return rows;
}

/**
 * Opens a task for every repository whose tagged images stand right on the old base and have a flaw that the new one does
 * not have. Who stands on these gets a task when they are rebuilt in their turn.
 *
 * @returns ids of tasks that were opened
 */
export async function openRebuilds(db: TenantQueries, base: FixedBase, now: Date): Promise<readonly number[]> {
  const { baseRepositoryId, fromImageId, toImageId, toTag } = base;
  const { rows } = await sql<{ id: number }>`
    WITH gone AS (SELECT vulnerability_id FROM (${flawsOf(fromImageId)}) old
      EXCEPT SELECT vulnerability_id FROM (${flawsOf(toImageId)}) new),
    old AS (SELECT chain_id FROM image WHERE id = ${fromImageId}),
    child AS (
      SELECT DISTINCT t.repository_id, i.id AS image_id FROM image_chain ic JOIN old ON old.chain_id = ic.chain_id
        JOIN image i ON i.id = ic.image_id JOIN tag_image ti ON ti.image_id = i.id JOIN tag t ON t.id = ti.tag_id
      WHERE i.chain_id <> old.chain_id AND i.state <> 'gone' AND t.gone_at IS NULL AND t.repository_id <> ${baseRepositoryId}
        -- Right on it: no other base lies between.
        AND NOT EXISTS (SELECT FROM image_chain above JOIN lineage_node n ON n.chain_id = above.chain_id
          WHERE above.image_id = i.id AND above.depth > ic.depth AND above.chain_id <> i.chain_id AND n.images > 0)),
    -- A base that is no root was fixed itself by those below it: what it has from there is gone as well.
    held AS (
      SELECT c.repository_id, m.vulnerability_id FROM child c JOIN image_chain ic USING (image_id)
        JOIN chain_subject cs USING (chain_id) JOIN subject_match m USING (subject_id)
      WHERE m.vulnerability_id IN (SELECT vulnerability_id FROM gone)
      GROUP BY c.repository_id, c.image_id, m.vulnerability_id, cs.subject_id, cs.from_depth HAVING sum(cs.delta) > 0)
    INSERT INTO rebuild_task AS task (tenant_id, repository_id, base_repository_id, from_image_id, to_image_id, to_tag, findings,
      opened_at)
    SELECT current_tenant(), repository_id, ${baseRepositoryId}, ${fromImageId}, ${toImageId}, ${toTag},
      array_agg(DISTINCT vulnerability_id), ${now} FROM held GROUP BY repository_id
    ON CONFLICT (repository_id, from_image_id) DO UPDATE SET to_image_id = excluded.to_image_id, to_tag = excluded.to_tag,
      findings = excluded.findings WHERE task.state = 'open' AND task.to_image_id <> excluded.to_image_id
    RETURNING id`.execute(db);
  const ids = rows.map(({ id }) => id);
  for (const id of ids) await tellOf(db, id, "rebuild.opened", now);
  const [first] = ids;
  if (first !== undefined) await announce(db, { topic: "rebuilds", id: first });
  return ids;
}

/** Vulnerabilities of an image that make a risk. */
function flawsOf(image: number) {
  return sql`
    SELECT DISTINCT m.vulnerability_id FROM (
      SELECT cs.subject_id FROM image_chain ic JOIN chain_subject cs USING (chain_id)
      WHERE ic.image_id = ${image} GROUP BY cs.subject_id, cs.from_depth HAVING sum(cs.delta) > 0) held
    JOIN subject_match m USING (subject_id) WHERE ${MAKES_RISK}`;
}

/**
 * Closes the tasks of repositories whose scans do not see the findings any more, and opens those again whose findings came
 * back (they are counted).
 */
export async function settleRebuilds(db: TenantQueries, repositories: readonly number[], now: Date): Promise<void> {
  if (repositories.length === 0) return;
  const isLeft = sql`EXISTS (SELECT FROM risk k WHERE k.repository_id = t.repository_id AND k.finding = ANY(t.findings)
    AND k.state <> 'fixed')`;
  const done = await sql<{ id: number }>`
    UPDATE rebuild_task t SET state = 'done', closed_at = ${now}
    WHERE t.repository_id = ANY(${repositories}::bigint[]) AND t.state = 'open' AND NOT ${isLeft}
      AND NOT EXISTS (SELECT FROM tag JOIN tag_image ti ON ti.tag_id = tag.id JOIN image i ON i.id = ti.image_id
        WHERE tag.repository_id = t.repository_id AND tag.gone_at IS NULL AND i.state = 'known')
    RETURNING id`.execute(db);
  const back = await sql<{ id: number }>`
    UPDATE rebuild_task t SET state = 'open', closed_at = NULL, reopened = t.reopened + 1
    WHERE t.repository_id = ANY(${repositories}::bigint[]) AND t.state = 'done' AND ${isLeft} RETURNING id`.execute(db);
  for (const { id } of done.rows) await tellOf(db, id, "rebuild.done", now);
  for (const { id } of back.rows) await tellOf(db, id, "rebuild.opened", now);
  const [first] = [...done.rows, ...back.rows];
  if (first !== undefined) await announce(db, { topic: "rebuilds", id: first.id });
}

async function tellOf(
  db: TenantQueries,
  id: number,
  event: "rebuild.opened" | "rebuild.done",
  now: Date,
): Promise<void> {
  const { rows } = await sql<Record<string, unknown>>`
    SELECT t.id, g.name AS registry, r.name AS repository, base.name AS base, t.to_tag AS tag, cardinality(t.findings) AS findings,
      t.reopened, coalesce(r.owner_id, g.owner_id) AS "ownerId", coalesce(o.name, '') AS owner, coalesce(r.grade, g.grade) AS grade
    FROM rebuild_task t JOIN repository r ON r.id = t.repository_id JOIN registry g ON g.id = r.registry_id
      JOIN repository base ON base.id = t.base_repository_id LEFT JOIN owner o ON o.id = coalesce(r.owner_id, g.owner_id)
    WHERE t.id = ${id}`.execute(db);
  await giveNotice(db, event, { facts: rows[0] ?? {} }, now);
}

/** A tag of a repository that something stands on, or might come to stand on. */
export interface BaseTag {
  readonly name: string;
  readonly digest: string;
  readonly imageId: number;
  readonly platform: string;
  readonly isScanned: boolean;
  readonly beneath: number;
}

/** Tags of a repository with their images, one row for each platform. */
export async function baseTags(db: TenantQueries, repository: number): Promise<readonly BaseTag[]> {
  const { rows } = await sql<BaseTag>`
    SELECT t.name, t.digest, i.id AS "imageId", i.platform, i.state = 'scanned' AS "isScanned", coalesce(n.beneath, 0) AS beneath
    FROM tag t JOIN tag_image ti ON ti.tag_id = t.id JOIN image i ON i.id = ti.image_id
      LEFT JOIN lineage_node n ON n.chain_id = i.chain_id
    WHERE t.repository_id = ${repository} AND t.gone_at IS NULL ORDER BY t.name, i.platform`.execute(db);
  return rows;
}
