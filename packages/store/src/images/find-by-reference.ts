import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import { isVisible, type Sight } from "./visible.ts";

/**
 * The image that a reference names: a digest, or `REGISTRY/REPOSITORY:TAG` and `…@DIGEST`, the registry by the name that it
 * has here or by its address. Of an index the image of the first platform.
 */
export async function findImageByReference(
  db: TenantQueries,
  reference: string,
  sight: Sight,
): Promise<{ readonly id: number; readonly digest: string } | undefined> {
  const { registry, repository, tag, digest } = partsOf(reference);
  const named =
    digest === ""
      ? sql`i.id IN (SELECT ti.image_id FROM tag t JOIN tag_image ti ON ti.tag_id = t.id JOIN repository r ON r.id = t.repository_id
          JOIN registry g ON g.id = r.registry_id
        WHERE t.gone_at IS NULL AND t.name = ${tag} AND r.name = ${repository}
          AND (g.name = ${registry} OR regexp_replace(g.address, '^https?://', '') = ${registry}))`
      : sql`(i.digest = ${digest} OR i.id IN (SELECT ti.image_id FROM tag t JOIN tag_image ti ON ti.tag_id = t.id
          WHERE t.digest = ${digest}))`;
  const { rows } = await sql<{ id: number; digest: string }>`
    SELECT i.id, i.digest FROM image i WHERE ${named} AND ${isVisible(sight)} ORDER BY i.platform, i.id LIMIT 1`.execute(
    db,
  );
  return rows[0];
}

function partsOf(reference: string) {
  const digest = /(?:^|@)([a-z0-9]+:[a-f0-9]{32,128})$/.exec(reference)?.[1] ?? "";
  const slash = reference.indexOf("/");
  const [, repository = "", tag = "latest"] = /^([^:@]+)(?::([^:@]+))?/.exec(reference.slice(slash + 1)) ?? [];
  return { registry: reference.slice(0, Math.max(0, slash)), repository, tag, digest };
}
