import { sql } from "kysely";
import { heldPackages } from "../images/held.ts";
import type { TenantQueries } from "../open-store.ts";

/** Golden versions that are candidates for one image. */
const MAX_CANDIDATES = 200;
/** Types of packages of an operating system (package URL specification, "PURL-TYPES"). */
const SYSTEM_TYPES = ["deb", "apk", "rpm"];

export interface HeldPackage {
  readonly type: string;
  readonly name: string;
  readonly version: string;
}

/**
 * Packages of an operating system, and programs found without one, that an image has.
 *
 * @param layers only those that the lowest layers bring; left out: all
 */
export async function systemPackages(
  db: TenantQueries,
  imageId: number,
  layers?: number,
): Promise<readonly HeldPackage[]> {
  const { rows } = await sql<HeldPackage>`
    SELECT DISTINCT p.type, p.name, p.version FROM ${heldPackages(imageId)} h JOIN package_version p ON p.id = h.package_id
    WHERE p.type = ANY(${[...SYSTEM_TYPES, "generic"]}::text[])
      AND ${layers === undefined ? sql`true` : sql`h.from_depth < ${layers}`} ORDER BY 1, 2, 3`.execute(db);
  return rows;
}

/** Images of published golden versions: the newest of each golden image and platform first. */
export async function publishedBases(db: TenantQueries): Promise<
  readonly {
    readonly versionId: number;
    readonly goldenId: number;
    readonly imageId: number;
    readonly purpose: string;
  }[]
> {
  const { rows } = await sql<{ versionId: number; goldenId: number; imageId: number; purpose: string }>`
    SELECT v.id AS "versionId", v.golden_id AS "goldenId", v.image_id AS "imageId", g.purpose
    FROM golden_version v JOIN golden g ON g.id = v.golden_id JOIN image i ON i.id = v.image_id
    WHERE v.state = 'published' AND i.state = 'scanned' ORDER BY v.id DESC LIMIT ${MAX_CANDIDATES}`.execute(db);
  return rows;
}
