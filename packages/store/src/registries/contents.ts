import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import { retireImages } from "./registries.ts";

/** What a tag names: its digest, and those of the images behind it (several where it is an index). */
export interface SeenTag {
  readonly name: string;
  readonly digest: string;
  readonly images: readonly { readonly digest: string; readonly platform: string }[];
}

/** The tags that are known of a repository: name → digest. */
export async function knownTags(
  db: TenantQueries,
  registry: number,
  repository: string,
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ name: string; digest: string }>`
    SELECT t.name, t.digest FROM tag t JOIN repository r ON r.id = t.repository_id
    WHERE r.registry_id = ${registry} AND r.name = ${repository} AND t.gone_at IS NULL`.execute(db);
  return new Map(rows.map(({ name, digest }) => [name, digest]));
}

/** What was seen of a repository. */
export interface SeenRepository {
  readonly registry: number;
  readonly name: string;
  /** Tags that are new or name something else than before. */
  readonly changed: readonly SeenTag[];
  /** All names of tags that are there; undefined: not listed, so nothing is known to be gone. */
  readonly present?: readonly string[];
}

/**
 * Writes what a repository holds now. A tag that moved lets go of its old image; tags and images that are no longer there
 * are marked as gone, not deleted.
 *
 * @returns id of the repository, and the images that wait for their first scan
 */
export async function recordRepository(
  db: TenantQueries,
  { registry, name, changed, present }: SeenRepository,
  now: Date,
): Promise<{ readonly id: number; readonly unscanned: readonly { readonly id: number; readonly digest: string }[] }> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO repository (tenant_id, registry_id, name) VALUES (current_tenant(), ${registry}, ${name})
    ON CONFLICT (registry_id, name) DO UPDATE SET gone_at = NULL RETURNING id`.execute(db);
  const id = rows[0]?.id ?? 0;
  for (const tag of changed) await recordTag(db, id, tag, now);
  if (present !== undefined) await markGone(db, id, present, now);
  // Of two who look at once, here or through another repository, the second sees the tasks of the first.
  await sql`
    SELECT i.id FROM image i JOIN image_location l ON l.image_id = i.id
    WHERE l.repository_id = ${id} AND l.gone_at IS NULL AND i.state = 'known' ORDER BY i.id FOR NO KEY UPDATE OF i`.execute(
    db,
  );
  const unscanned = await sql<{ id: number; digest: string }>`
    SELECT i.id, i.digest FROM image i JOIN image_location l ON l.image_id = i.id
    WHERE l.repository_id = ${id} AND l.gone_at IS NULL AND i.state = 'known' AND NOT EXISTS (SELECT FROM task t
      WHERE t.payload->>'digest' = i.digest AND t.kind = 'scan-image' AND t.state IN ('waiting', 'parked', 'running')) ORDER BY i.id`.execute(
    db,
  );
  return { id, unscanned: unscanned.rows };
}

/** Images by digest, once each: an index may name one for several platforms, and a row is written once by a statement. */
export function onceEach<Image extends { readonly digest: string }>(images: readonly Image[]): readonly Image[] {
  return [...new Map(images.toReversed().map((image) => [image.digest, image])).values()].toReversed();
}

async function recordTag(db: TenantQueries, repository: number, tag: SeenTag, now: Date): Promise<void> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO tag AS known (tenant_id, repository_id, name, digest, moved_at)
    VALUES (current_tenant(), ${repository}, ${tag.name}, ${tag.digest}, ${now})
    ON CONFLICT (repository_id, name) DO UPDATE SET digest = excluded.digest, gone_at = NULL,
      moved_at = CASE WHEN known.digest = excluded.digest THEN known.moved_at ELSE excluded.moved_at END
    RETURNING id`.execute(db);
  const id = rows[0]?.id ?? 0;
  await db.deleteFrom("tag_image").where("tag_id", "=", id).execute();
  const images = JSON.stringify(onceEach(tag.images));
  await sql`
    INSERT INTO image (tenant_id, digest, platform, first_seen)
    SELECT current_tenant(), digest, platform, ${now} FROM jsonb_to_recordset(${images}::jsonb) AS r(digest text, platform text)
    ON CONFLICT (tenant_id, digest) DO UPDATE SET gone_at = NULL,
      state = CASE WHEN image.state <> 'gone' THEN image.state WHEN image.scanned_at IS NULL THEN 'known' ELSE 'scanned' END`.execute(
    db,
  );
  await sql`
    INSERT INTO tag_image (tenant_id, tag_id, image_id)
    SELECT current_tenant(), ${id}, i.id FROM jsonb_to_recordset(${images}::jsonb) AS r(digest text) JOIN image i USING (digest)
    ON CONFLICT DO NOTHING`.execute(db);
  await sql`
    INSERT INTO image_location (tenant_id, image_id, repository_id, first_seen)
    SELECT current_tenant(), i.id, ${repository}, ${now}
    FROM jsonb_to_recordset(${images}::jsonb) AS r(digest text) JOIN image i USING (digest)
    ON CONFLICT (image_id, repository_id) DO UPDATE SET gone_at = NULL`.execute(db);
}

/** Tags that were not listed are gone, and with the last of its tags an image is gone from the repository. */
async function markGone(db: TenantQueries, repository: number, present: readonly string[], now: Date): Promise<void> {
  await sql`
    UPDATE tag SET gone_at = ${now}
    WHERE repository_id = ${repository} AND gone_at IS NULL AND NOT (name = ANY(${present}::text[]))`.execute(db);
  const { rows } = await sql<{ image: number }>`
    UPDATE image_location l SET gone_at = ${now}
    WHERE l.repository_id = ${repository} AND l.gone_at IS NULL AND NOT EXISTS (
      SELECT FROM tag_image ti JOIN tag t ON t.id = ti.tag_id
      WHERE ti.image_id = l.image_id AND t.repository_id = ${repository} AND t.gone_at IS NULL)
    RETURNING l.image_id AS image`.execute(db);
  await retireImages(
    db,
    now,
    rows.map(({ image }) => image),
  );
}

/** Repositories that were not listed any more are gone with all their tags; gives them. */
export async function markRepositoriesGone(
  db: TenantQueries,
  registry: number,
  present: readonly string[],
  now: Date,
): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    UPDATE repository SET gone_at = ${now}
    WHERE registry_id = ${registry} AND gone_at IS NULL AND NOT (name = ANY(${present}::text[])) RETURNING id`.execute(
    db,
  );
  for (const { id } of rows) await markGone(db, id, [], now);
  return rows.map(({ id }) => id);
}

/** Where an image can be pulled from; undefined when it is nowhere. */
export async function placeOfImage(
  db: TenantQueries,
  digest: string,
): Promise<{ readonly registry: number; readonly repository: string } | undefined> {
  const { rows } = await sql<{ registry: number; repository: string }>`
    SELECT r.registry_id AS registry, r.name AS repository FROM image i JOIN image_location l ON l.image_id = i.id
      JOIN repository r ON r.id = l.repository_id JOIN registry g ON g.id = r.registry_id
    WHERE i.digest = ${digest} AND l.gone_at IS NULL ORDER BY (g.kind = 'local'), l.first_seen, r.id LIMIT 1`.execute(
    db,
  );
  return rows[0];
}

/** Images of places, for a scan of all of them; those that are scanned too where asked. */
export async function imagesOf(
  db: TenantQueries,
  places: {
    readonly registries: readonly number[];
    readonly repositories: readonly number[];
    readonly images: readonly string[];
    readonly force: boolean;
  },
): Promise<
  readonly { readonly id: number; readonly digest: string; readonly name: string; readonly registry: number }[]
> {
  const { rows } = await sql<{ id: number; digest: string; name: string; registry: number }>`
    SELECT DISTINCT ON (i.id) i.id, i.digest, g.name || '/' || r.name AS name, g.id AS registry
    FROM image i JOIN image_location l ON l.image_id = i.id JOIN repository r ON r.id = l.repository_id
      JOIN registry g ON g.id = r.registry_id
    WHERE l.gone_at IS NULL AND (r.registry_id = ANY(${places.registries}::bigint[])
        OR r.id = ANY(${places.repositories}::bigint[]) OR i.digest = ANY(${places.images}::text[]))
      AND (${places.force} OR i.state IN ('known', 'failed'))
    ORDER BY i.id, g.id`.execute(db);
  return rows;
}

/** Notes that an image could not be scanned. */
export async function failImage(db: TenantQueries, digest: string, problem: string): Promise<void> {
  await sql`
    UPDATE image SET problem = ${problem}, state = CASE WHEN scanned_at IS NULL THEN 'failed' ELSE state END
    WHERE digest = ${digest}`.execute(db);
}

/** The repositories that any of these images lies in. */
export async function repositoriesOfImages(db: TenantQueries, images: readonly number[]): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    SELECT DISTINCT repository_id AS id FROM image_location WHERE image_id = ANY(${images}::bigint[]) AND gone_at IS NULL`.execute(
    db,
  );
  return rows.map(({ id }) => id);
}
