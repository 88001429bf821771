import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/** Digests of the indexes through which tags of a repository name an image, of which nobody knows the base by its own word. */
export async function indexesToAsk(db: TenantQueries, imageId: number, repository: string): Promise<readonly string[]> {
  const { rows } = await sql<{ digest: string }>`
    SELECT DISTINCT t.digest FROM image i JOIN tag_image ti ON ti.image_id = i.id JOIN tag t ON t.id = ti.tag_id
      JOIN repository r ON r.id = t.repository_id
    WHERE i.id = ${imageId} AND r.name = ${repository} AND t.digest <> i.digest AND t.gone_at IS NULL
      AND coalesce(i.base->>'how', '') NOT IN ('flag', 'annotation') LIMIT 5`.execute(db);
  return rows.map(({ digest }) => digest);
}

/** Writes down the base that an image's build provenance names. How many layers are the base's is left as it was. */
export async function setProvenBase(
  db: TenantQueries,
  imageId: number,
  base: { readonly reference: string; readonly digest: string },
): Promise<void> {
  const { reference, digest } = base;
  await sql`UPDATE image SET base = ${JSON.stringify({ reference, digest, how: "provenance" })}::jsonb WHERE id = ${imageId}`.execute(
    db,
  );
}
