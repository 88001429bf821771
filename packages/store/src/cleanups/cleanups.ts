import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import type { KeptManifest } from "../schema/cleanups.ts";
import type { Zombie } from "./find-zombies.ts";

export interface Cleanup {
  readonly id: number;
  readonly days: number;
  readonly state: "proposed" | "refused" | "approved" | "done";
  readonly askedBy: { readonly id: number; readonly name: string };
  readonly askedAt: string;
  readonly decidedBy: { readonly id: number; readonly name: string } | null;
  readonly decidedAt: string | null;
  readonly endedAt: string | null;
  /** Items by state. */
  readonly items: Readonly<Record<string, number>>;
  readonly sizeBytes: number;
}

export interface CleanupItem {
  readonly id: number;
  readonly repositoryId: number;
  readonly registryId: number;
  readonly registry: string;
  readonly repository: string;
  readonly digest: string;
  readonly tags: readonly string[];
  readonly sizeBytes: number;
  readonly state: "waiting" | "deleted" | "kept" | "failed" | "restored";
  readonly why: string;
}

/** Of an item `i` in repository `r` of registry `g`. */
const ITEM = sql`i.id, i.repository_id AS "repositoryId", g.id AS "registryId", g.name AS registry, r.name AS repository, i.digest,
  i.tags, i.size_bytes AS "sizeBytes", i.state, i.why`;

/** Writes down what is to be cleaned up; nothing is deleted before somebody else approves. */
export async function addCleanup(
  db: TenantQueries,
  zombies: readonly Zombie[],
  by: { readonly days: number; readonly accountId: number; readonly now: Date },
): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO cleanup (tenant_id, days, asked_by, asked_at) VALUES (current_tenant(), ${by.days}, ${by.accountId}, ${by.now})
    RETURNING id`.execute(db);
  const id = rows[0]?.id ?? 0;
  await sql`
    INSERT INTO cleanup_item (tenant_id, cleanup_id, repository_id, digest, tags, size_bytes)
    SELECT current_tenant(), ${id}, "repositoryId", digest, ARRAY(SELECT jsonb_array_elements_text(tags)), "sizeBytes"
    FROM jsonb_to_recordset(${JSON.stringify(zombies)}::jsonb)
      AS r("repositoryId" bigint, digest text, tags jsonb, "sizeBytes" bigint)`.execute(db);
  return id;
}

/** Cleanups, the newest first, or one. */
export async function listCleanups(
  db: TenantQueries,
  page: { readonly id?: number; readonly after?: number; readonly limit: number },
): Promise<readonly Cleanup[]> {
  const { rows } = await sql<Cleanup>`
    SELECT c.id, c.days, c.state, jsonb_build_object('id', c.asked_by, 'name', coalesce(a.name, '')) AS "askedBy",
      to_json(c.asked_at)#>>'{}' AS "askedAt", to_json(c.decided_at)#>>'{}' AS "decidedAt", to_json(c.ended_at)#>>'{}' AS "endedAt",
      CASE WHEN c.decided_by IS NULL THEN NULL ELSE jsonb_build_object('id', c.decided_by, 'name', coalesce(d.name, '')) END AS "decidedBy",
      coalesce((SELECT jsonb_object_agg(state, items) FROM (
        SELECT state, count(*) AS items FROM cleanup_item WHERE cleanup_id = c.id GROUP BY 1) counted), '{}') AS items,
      coalesce((SELECT sum(size_bytes) FROM cleanup_item WHERE cleanup_id = c.id), 0)::float8 AS "sizeBytes"
    FROM cleanup c LEFT JOIN account a ON a.id = c.asked_by LEFT JOIN account d ON d.id = c.decided_by
    WHERE ${page.id === undefined ? sql`true` : sql`c.id = ${page.id}`}
      AND ${page.after === undefined ? sql`true` : sql`c.id < ${page.after}`} ORDER BY c.id DESC LIMIT ${page.limit}`.execute(
    db,
  );
  return rows;
}

export async function cleanupItems(
  db: TenantQueries,
  cleanup: number,
  page: { readonly after?: number; readonly limit: number },
): Promise<readonly CleanupItem[]> {
  const { rows } = await sql<CleanupItem>`
    SELECT ${ITEM}
    FROM cleanup_item i JOIN repository r ON r.id = i.repository_id JOIN registry g ON g.id = r.registry_id
    WHERE i.cleanup_id = ${cleanup} AND i.id > ${page.after ?? 0} ORDER BY i.id LIMIT ${page.limit}`.execute(db);
  return rows;
}

/** Approves or refuses; false when it was decided already, or by who asked. */
export async function decideCleanup(
  db: TenantQueries,
  id: number,
  decision: { readonly approve: boolean; readonly accountId: number; readonly now: Date },
): Promise<boolean> {
  const { approve, accountId, now } = decision;
  const { rows } = await sql<{ id: number }>`
    UPDATE cleanup SET state = ${approve ? "approved" : "refused"}, decided_by = ${accountId}, decided_at = ${now}
    WHERE id = ${id} AND state = 'proposed' AND (asked_by <> ${accountId} OR NOT ${approve}) RETURNING id`.execute(db);
  return rows.length > 0;
}

/** An item, and the manifests of it that are still to be deleted where somebody began and did not come to the end. */
export interface CleanupTurn extends CleanupItem {
  readonly left: readonly string[];
}

/** Condition on an item `i`. */
const IS_UNFINISHED = sql`(i.state = 'waiting' OR (i.state = 'deleted' AND i.left_digests <> '{}'))`;

/**
 * The next item that was not dealt with yet, or not wholly; undefined at the end. Indexes come before images: what of them has tags of its own
 * is deleted only when they are gone.
 *
 * @param of whose images; empty: those of registries; and items that are not tried again
 */
export async function nextCleanupItem(
  db: TenantQueries,
  cleanup: number,
  { node, tried }: { readonly node: string; readonly tried: readonly number[] },
): Promise<CleanupTurn | undefined> {
  const { rows } = await sql<CleanupTurn>`
    SELECT ${ITEM}, i.left_digests AS left
    FROM cleanup_item i JOIN cleanup c ON c.id = i.cleanup_id JOIN repository r ON r.id = i.repository_id
      JOIN registry g ON g.id = r.registry_id
    WHERE i.cleanup_id = ${cleanup} AND c.state = 'approved' AND ${IS_UNFINISHED} AND NOT i.id = ANY(${tried}::bigint[])
      AND ${node === "" ? sql`g.kind <> 'local'` : sql`g.kind = 'local' AND g.address = ${node}`}
    ORDER BY EXISTS (SELECT FROM image WHERE digest = i.digest), i.id LIMIT 1`.execute(db);
  return rows[0];
}

/** Which of some manifests other tags of an item's repository name, those left out that its cleanup deleted. */
export async function namedElsewhere(
  db: TenantQueries,
  { id, repositoryId, digest }: Pick<CleanupItem, "id" | "repositoryId" | "digest">,
  manifests: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ digest: string }>`
    WITH live AS (
      SELECT t.id, t.digest FROM tag t
      WHERE t.repository_id = ${repositoryId} AND t.gone_at IS NULL AND t.digest <> ${digest}
        AND NOT EXISTS (SELECT FROM cleanup_item own JOIN cleanup_item other USING (cleanup_id) WHERE own.id = ${id}
          AND other.repository_id = t.repository_id AND other.digest = t.digest AND other.state = 'deleted'))
    SELECT digest FROM live WHERE digest = ANY(${manifests}::text[])
    UNION SELECT i.digest FROM live JOIN tag_image ti ON ti.tag_id = live.id JOIN image i ON i.id = ti.image_id
      WHERE i.digest = ANY(${manifests}::text[])`.execute(db);
  return new Set(rows.map((row) => row.digest));
}

/**
 * Keeps the manifests of an item before the first of them is deleted: from here on it can be put back, however far somebody comes.
 *
 * @param left what is to be deleted
 * @returns whether it still waited for that
 */
export async function beginDeletion(
  db: TenantQueries,
  id: number,
  {
    manifests,
    left,
    now,
  }: { readonly manifests: readonly KeptManifest[]; readonly left: readonly string[]; readonly now: Date },
): Promise<boolean> {
  const { rows } = await sql`
    UPDATE cleanup_item SET state = 'deleted', why = '', at = ${now}, manifests = ${JSON.stringify(manifests)}::jsonb, left_digests = ${left}::text[]
    WHERE id = ${id} AND state = 'waiting' RETURNING id`.execute(db);
  return rows.length > 0;
}

/** Notes that manifests of an item are dealt with. @returns what is left; nothing where it was put back or given up meanwhile */
export async function noteDeleted(
  db: TenantQueries,
  id: number,
  digests: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await sql<{ left: readonly string[] }>`
    UPDATE cleanup_item SET left_digests = ARRAY(SELECT d FROM unnest(left_digests) WITH ORDINALITY AS l(d, place)
      WHERE NOT d = ANY(${digests}::text[]) ORDER BY place), why = ''
    WHERE id = ${id} AND state = 'deleted' AND left_digests <> '{}' RETURNING left_digests AS left`.execute(db);
  return rows[0]?.left ?? [];
}

/** Says why an item is not wholly deleted yet. */
export async function explainUnfinished(db: TenantQueries, id: number, why: string): Promise<void> {
  await sql`UPDATE cleanup_item SET why = ${why} WHERE id = ${id} AND left_digests <> '{}'`.execute(db);
}

/** Ends an item: nothing of it is left to be done. */
export async function settleCleanupItem(
  db: TenantQueries,
  id: number,
  { state, why = "", now }: { readonly state: CleanupItem["state"]; readonly why?: string; readonly now: Date },
): Promise<void> {
  await sql`UPDATE cleanup_item SET state = ${state}, why = ${why}, at = ${now}, left_digests = '{}' WHERE id = ${id}`.execute(
    db,
  );
}

/** Gives up what is left of the cleanups of a job that was cancelled. What was deleted can be put back. */
export async function abandonCleanups(db: TenantQueries, job: number, now: Date): Promise<void> {
  await sql`
    WITH meant AS (
      SELECT c.id FROM cleanup c WHERE c.state = 'approved' AND c.id IN (
        SELECT (t.payload->>'cleanup')::bigint FROM task t WHERE t.job_id = ${job} AND t.kind = 'clean-up')),
    ended AS (UPDATE cleanup SET state = 'done', ended_at = ${now} WHERE id IN (SELECT id FROM meant))
    UPDATE cleanup_item i SET left_digests = '{}', why = 'its job was cancelled', at = ${now},
      state = CASE WHEN i.state = 'waiting' THEN 'kept' ELSE i.state END
    WHERE i.cleanup_id IN (SELECT id FROM meant) AND ${IS_UNFINISHED}`.execute(db);
}

/** Whether somebody may be deleting what a cleanup names. */
async function isAtWork(db: TenantQueries, item: number): Promise<boolean> {
  const { rows } = await sql`
    SELECT FROM cleanup_item i JOIN job j ON j.kind = 'cleanup' AND j.state IN ('running', 'paused') JOIN task t ON t.job_id = j.id
    WHERE i.id = ${item} AND i.left_digests <> '{}' AND t.payload->>'cleanup' = i.cleanup_id::text
      AND t.state IN ('waiting', 'parked', 'running')`.execute(db);
  return rows.length > 0;
}

/** Where a cleanup has work to do: nodes by name, and registries as the empty one. */
export async function cleanupPlaces(db: TenantQueries, cleanup: number): Promise<readonly string[]> {
  const { rows } = await sql<{ place: string }>`
    SELECT DISTINCT CASE WHEN g.kind = 'local' THEN g.address ELSE '' END AS place
    FROM cleanup_item i JOIN repository r ON r.id = i.repository_id JOIN registry g ON g.id = r.registry_id
    WHERE i.cleanup_id = ${cleanup} AND i.state = 'waiting'`.execute(db);
  return rows.map(({ place }) => place);
}

/** Ends a cleanup of which nothing is left to be done. */
export async function endCleanup(db: TenantQueries, id: number, now: Date): Promise<void> {
  await sql`UPDATE cleanup SET state = 'done', ended_at = ${now} WHERE id = ${id} AND state = 'approved'
    AND NOT EXISTS (SELECT FROM cleanup_item i WHERE i.cleanup_id = ${id} AND ${IS_UNFINISHED})`.execute(db);
}

export interface DeletedItem extends CleanupItem {
  readonly manifests: readonly KeptManifest[];
  /** More of it may be deleted at any moment. */
  readonly isAtWork: boolean;
}

/** What was kept of a deleted item; undefined when it is not deleted. */
export async function deletedManifests(db: TenantQueries, item: number): Promise<DeletedItem | undefined> {
  const { rows } = await sql<DeletedItem>`
    SELECT ${ITEM}, i.manifests
    FROM cleanup_item i JOIN repository r ON r.id = i.repository_id JOIN registry g ON g.id = r.registry_id
    WHERE i.id = ${item} AND i.state = 'deleted'`.execute(db);
  return rows[0] && { ...rows[0], isAtWork: await isAtWork(db, item) };
}

export interface CleanupHold {
  readonly id: number;
  readonly repository: { readonly id: number; readonly name: string; readonly registry: string };
  readonly tag: string;
  readonly reason: string;
  readonly until: string | null;
}

export async function listHolds(db: TenantQueries): Promise<readonly CleanupHold[]> {
  const { rows } = await sql<CleanupHold>`
    SELECT h.id, jsonb_build_object('id', r.id, 'name', r.name, 'registry', g.name) AS repository, h.tag, h.reason,
      to_char(h.until, 'YYYY-MM-DD') AS until
    FROM cleanup_hold h JOIN repository r ON r.id = h.repository_id JOIN registry g ON g.id = r.registry_id ORDER BY h.id DESC`.execute(
    db,
  );
  return rows;
}

export async function addHold(
  db: TenantQueries,
  hold: {
    readonly repositoryId: number;
    readonly tag: string;
    readonly reason: string;
    readonly until: string | null;
    readonly accountId: number;
  },
): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO cleanup_hold (tenant_id, repository_id, tag, reason, until, created_by)
    VALUES (current_tenant(), ${hold.repositoryId}, ${hold.tag}, ${hold.reason}, ${hold.until}::date, ${hold.accountId})
    ON CONFLICT (repository_id, tag) DO UPDATE SET reason = excluded.reason, until = excluded.until RETURNING id`.execute(
    db,
  );
  return rows[0]?.id ?? 0;
}

export async function removeHold(db: TenantQueries, id: number): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom("cleanup_hold").where("id", "=", id).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Notes that somebody pulled manifests, as the registry with this webhook tells. */
export async function notePulls(
  db: TenantQueries,
  webhookHash: string,
  digests: readonly string[],
  now: Date,
): Promise<void> {
  if (digests.length === 0) return;
  await sql`
    UPDATE image i SET pulled_at = greatest(i.pulled_at, ${now})
    WHERE i.id IN (
      SELECT i2.id FROM image i2 JOIN image_location l ON l.image_id = i2.id JOIN repository r ON r.id = l.repository_id
        JOIN registry g ON g.id = r.registry_id
      WHERE g.webhook_hash = ${webhookHash} AND i2.digest = ANY(${digests}::text[])
      UNION SELECT ti.image_id FROM tag t JOIN tag_image ti ON ti.tag_id = t.id JOIN repository r ON r.id = t.repository_id
          JOIN registry g ON g.id = r.registry_id
        WHERE g.webhook_hash = ${webhookHash} AND t.digest = ANY(${digests}::text[]))`.execute(db);
}
