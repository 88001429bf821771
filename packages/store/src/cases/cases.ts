import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import { type ConcernedImages, isConcerned } from "./concerned-images.ts";

/** A saved emergency search, watched until nothing of the estate matches it any more. */
export interface IncidentCase {
  readonly id: number;
  readonly title: string;
  readonly query: Readonly<Record<string, string>>;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly closedAt: string | null;
  readonly note: string;
  readonly open: number;
  readonly closed: number;
}

const CASE = sql`c.id, c.title, c.query, c.created_by AS "createdBy", to_json(c.created_at)#>>'{}' AS "createdAt",
  to_json(c.closed_at)#>>'{}' AS "closedAt", c.note,
  (SELECT count(*) FROM case_image i WHERE i.case_id = c.id AND i.closed_at IS NULL) AS open,
  (SELECT count(*) FROM case_image i WHERE i.case_id = c.id AND i.closed_at IS NOT NULL) AS closed`;

export async function addCase(
  db: TenantQueries,
  made: { readonly title: string; readonly query: object; readonly createdBy: string; readonly now: Date },
): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO incident_case (tenant_id, title, query, created_by, created_at)
    VALUES (current_tenant(), ${made.title}, ${JSON.stringify(made.query)}::jsonb, ${made.createdBy}, ${made.now}) RETURNING id`.execute(
    db,
  );
  return rows[0]?.id ?? 0;
}

export async function getCase(db: TenantQueries, id: number): Promise<IncidentCase | undefined> {
  const { rows } = await sql<IncidentCase>`SELECT ${CASE} FROM incident_case c WHERE c.id = ${id}`.execute(db);
  return rows[0];
}

/** Cases, the newest first; open ones only where asked. */
export async function listCases(
  db: TenantQueries,
  { openOnly, before, limit }: { readonly openOnly?: boolean; readonly before?: number; readonly limit: number },
): Promise<readonly IncidentCase[]> {
  const { rows } = await sql<IncidentCase>`
    SELECT ${CASE} FROM incident_case c
    WHERE (${openOnly !== true} OR c.closed_at IS NULL) AND (${before ?? null}::bigint IS NULL OR c.id < ${before ?? null})
    ORDER BY c.id DESC LIMIT ${limit}`.execute(db);
  return rows;
}

/**
 * Writes what the case's search finds now: images that it found before and does not any more are closed. The curve gets a
 * point when something changed. A case ends by itself when nothing is open; images that come back open it again.
 *
 * @param subjects the package versions that the case's query means
 * @param of looks at these images only; left out: at all of the estate
 */
export async function refreshCase(
  db: TenantQueries,
  id: number,
  subjects: readonly number[],
  now: Date,
  of?: ConcernedImages,
): Promise<void> {
  // Scans that end at once change one case one after the other.
  await sql`SELECT FROM incident_case WHERE id = ${id} FOR UPDATE`.execute(db);
  const concerned = (image: string) => (of === undefined ? sql`true` : isConcerned(of, image));
  await sql`CREATE TEMPORARY TABLE case_found ON COMMIT DROP AS
    SELECT image_id FROM (
      SELECT ic.image_id, cs.subject_id, cs.from_depth, sum(cs.delta) AS held
      FROM chain_subject cs JOIN image_chain ic USING (chain_id) JOIN image i ON i.id = ic.image_id
      WHERE cs.subject_id = ANY(${subjects}::bigint[]) AND i.state <> 'gone' AND ${concerned("ic.image_id")}
        -- An image without a tag is not deployed by anybody's next rollout: its tag moved on.
        AND EXISTS (SELECT FROM tag_image ti JOIN tag t ON t.id = ti.tag_id WHERE ti.image_id = i.id AND t.gone_at IS NULL)
      GROUP BY 1, 2, 3) summed WHERE held > 0 GROUP BY 1`.execute(db);
  await sql`
    INSERT INTO case_image (tenant_id, case_id, image_id, first_seen)
    SELECT current_tenant(), ${id}, image_id, ${now} FROM case_found
    ON CONFLICT (case_id, image_id) DO UPDATE SET closed_at = NULL WHERE case_image.closed_at IS NOT NULL`.execute(db);
  await sql`
    UPDATE case_image SET closed_at = ${now}
    WHERE case_id = ${id} AND closed_at IS NULL AND image_id NOT IN (SELECT image_id FROM case_found)
      AND ${concerned("case_image.image_id")}`.execute(db);
  await sql`
    WITH counted AS (
      SELECT count(*) FILTER (WHERE closed_at IS NULL) AS open, count(*) FILTER (WHERE closed_at IS NOT NULL) AS closed
      FROM case_image WHERE case_id = ${id}),
    last AS (SELECT open, closed FROM case_point WHERE case_id = ${id} ORDER BY at DESC LIMIT 1)
    INSERT INTO case_point (tenant_id, case_id, at, open, closed)
    SELECT current_tenant(), ${id}, ${now}, open, closed FROM counted
    WHERE NOT EXISTS (SELECT FROM last WHERE (last.open, last.closed) = (counted.open, counted.closed))
    ON CONFLICT (case_id, at) DO UPDATE SET open = excluded.open, closed = excluded.closed`.execute(db);
  await sql`
    UPDATE incident_case c SET closed_at = CASE WHEN EXISTS (SELECT FROM case_image i WHERE i.case_id = c.id AND i.closed_at IS NULL)
      THEN NULL ELSE coalesce(c.closed_at, ${now}::timestamptz) END WHERE c.id = ${id}`.execute(db);
  await sql`DROP TABLE case_found`.execute(db);
}

/** Cases that images may concern: those that hold them already, and those whose component or vulnerability they hold. */
export async function casesConcerning(db: TenantQueries, of: ConcernedImages): Promise<readonly IncidentCase[]> {
  const some = await db.selectFrom("incident_case").select("id").limit(1).executeTakeFirst();
  if (some === undefined) return [];
  const { rows } = await sql<IncidentCase>`
    WITH held AS MATERIALIZED (
      SELECT DISTINCT s.id, s.lower_name, s.short_name FROM image_chain ic JOIN chain_subject cs USING (chain_id)
        JOIN subject s ON s.id = cs.subject_id WHERE ${isConcerned(of, "ic.image_id")}),
    names AS MATERIALIZED (
      SELECT lower_name AS name FROM held UNION SELECT short_name FROM held
      UNION SELECT p.lower_name FROM image_chain ic JOIN chain_package cp USING (chain_id)
        JOIN package_version p ON p.id = cp.package_id WHERE ${isConcerned(of, "ic.image_id")}),
    flaws AS MATERIALIZED (
      SELECT v.id FROM held h JOIN subject_match m ON m.subject_id = h.id JOIN vulnerability v ON v.id = m.vulnerability_id
      UNION SELECT unnest(v.aliases) FROM held h JOIN subject_match m ON m.subject_id = h.id
        JOIN vulnerability v ON v.id = m.vulnerability_id)
    SELECT ${CASE} FROM incident_case c
    WHERE EXISTS (SELECT FROM case_image i WHERE i.case_id = c.id AND ${isConcerned(of, "i.image_id")})
      OR lower(c.query->>'component') IN (SELECT name FROM names)
      OR c.query->>'vulnerability' IN (SELECT id FROM flaws)
    ORDER BY c.id DESC`.execute(db);
  return rows;
}

export async function changeCase(
  db: TenantQueries,
  id: number,
  { title, note }: { readonly title?: string; readonly note?: string },
): Promise<void> {
  const values = { ...(title === undefined ? {} : { title }), ...(note === undefined ? {} : { note }) };
  if (Object.keys(values).length > 0) await db.updateTable("incident_case").set(values).where("id", "=", id).execute();
}

/** The curve of a case: how many images were open and closed at which time. */
export async function caseCurve(
  db: TenantQueries,
  id: number,
): Promise<readonly { readonly at: string; readonly open: number; readonly closed: number }[]> {
  const { rows } = await sql<{ at: string; open: number; closed: number }>`
    SELECT to_json(at)#>>'{}' AS at, open, closed FROM case_point WHERE case_id = ${id} ORDER BY at`.execute(db);
  return rows;
}

export interface CaseImage {
  readonly digest: string;
  readonly registry: string;
  readonly repository: string;
  readonly tags: readonly string[];
  readonly owner: string;
  readonly firstSeen: string;
  readonly closedAt: string | null;
}

/** Every image that the case found, open ones first. */
export async function caseImages(db: TenantQueries, id: number): Promise<readonly CaseImage[]> {
  const { rows } = await sql<CaseImage>`
    SELECT i.digest, coalesce(g.name, '') AS registry, coalesce(r.name, '') AS repository,
      coalesce((SELECT array_agg(t.name ORDER BY t.name) FROM tag_image ti JOIN tag t ON t.id = ti.tag_id
        WHERE ti.image_id = i.id AND t.repository_id = r.id AND t.gone_at IS NULL), '{}') AS tags,
      coalesce(o.name, '') AS owner, to_json(ci.first_seen)#>>'{}' AS "firstSeen", to_json(ci.closed_at)#>>'{}' AS "closedAt"
    FROM case_image ci JOIN image i ON i.id = ci.image_id
      LEFT JOIN LATERAL (SELECT repository_id FROM image_location l WHERE l.image_id = i.id ORDER BY l.gone_at NULLS FIRST, l.first_seen LIMIT 1) place ON true
      LEFT JOIN repository r ON r.id = place.repository_id LEFT JOIN registry g ON g.id = r.registry_id
      LEFT JOIN owner o ON o.id = coalesce(i.owner_id, r.owner_id, g.owner_id)
    WHERE ci.case_id = ${id} ORDER BY ci.closed_at NULLS FIRST, registry, repository, i.digest`.execute(db);
  return rows;
}
