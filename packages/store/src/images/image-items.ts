import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/** How many findings of each kind an image has. */
export interface Counts {
  readonly critical: number;
  readonly high: number;
  readonly medium: number;
  readonly low: number;
  readonly other: number;
  readonly exploited: number;
  readonly fixable: number;
  readonly secrets: number;
  readonly malware: number;
  readonly misconfigurations: number;
  readonly baseCritical: number;
  readonly baseHigh: number;
}

interface ImageLocation {
  readonly registry: string;
  readonly repository: string;
  readonly repositoryId: number;
  readonly tags: readonly string[];
}

/** An image, as lists show it. */
export interface ImageItem {
  readonly id: number;
  readonly digest: string;
  readonly platform: string;
  readonly state: "known" | "scanned" | "failed" | "gone";
  readonly problem: string;
  readonly os: { readonly id: string; readonly version: string; readonly name: string } | null;
  readonly builtAt: string | null;
  readonly firstSeen: string;
  readonly scannedAt: string | null;
  readonly sizeBytes: number;
  readonly layerCount: number;
  readonly packageCount: number;
  readonly complete: boolean;
  readonly counts: Counts;
  readonly risk: number;
  readonly base: { readonly reference: string; readonly digest: string; readonly how: string } | null;
  readonly locations: readonly ImageLocation[];
  /** The nearest owner: of the image, else of its repository, else of the registry. */
  readonly owner: { readonly id: number; readonly name: string } | null;
  readonly grade: string | null;
}

/** The images of these ids, in their order. */
export async function imageItems(db: TenantQueries, ids: readonly number[]): Promise<readonly ImageItem[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<{ item: ImageItem }>`
    SELECT jsonb_build_object('id', i.id, 'digest', i.digest, 'platform', i.platform, 'state', i.state, 'problem', i.problem,
      'os', CASE WHEN i.os_id = '' THEN NULL ELSE jsonb_build_object('id', i.os_id, 'version', i.os_version, 'name', i.os_name) END,
      'builtAt', i.built_at, 'firstSeen', i.first_seen, 'scannedAt', i.scanned_at, 'sizeBytes', i.size_bytes,
      'layerCount', i.layer_count, 'packageCount', i.package_count, 'complete', i.complete,
      'counts', jsonb_build_object('critical', i.critical, 'high', i.high, 'medium', i.medium, 'low', i.low, 'other', i.other,
        'exploited', i.exploited, 'fixable', i.fixable, 'secrets', i.secrets, 'malware', i.malware,
        'misconfigurations', i.misconfigurations, 'baseCritical', i.base_critical, 'baseHigh', i.base_high),
      'risk', i.risk, 'base', nullif(i.base, 'null'), 'locations', coalesce(place.locations, '[]'),
      'owner', CASE WHEN o.id IS NULL THEN NULL ELSE jsonb_build_object('id', o.id, 'name', o.name) END,
      'grade', coalesce(i.grade, place.grade)) AS item
    FROM unnest(${ids}::bigint[]) WITH ORDINALITY AS wanted(id, position) JOIN image i ON i.id = wanted.id
      LEFT JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object('registry', g.name, 'repository', r.name, 'repositoryId', r.id, 'tags', coalesce(t.names, '{}'))
            ORDER BY g.name, r.name) AS locations,
          min(coalesce(r.owner_id, g.owner_id)) AS owner_id, min(coalesce(r.grade, g.grade)) AS grade
        FROM image_location l JOIN repository r ON r.id = l.repository_id JOIN registry g ON g.id = r.registry_id
          LEFT JOIN LATERAL (SELECT array_agg(t.name ORDER BY t.name) AS names FROM tag_image ti JOIN tag t ON t.id = ti.tag_id
            WHERE ti.image_id = i.id AND t.repository_id = r.id AND t.gone_at IS NULL) t ON true
        WHERE l.image_id = i.id AND l.gone_at IS NULL) place ON true
      LEFT JOIN owner o ON o.id = coalesce(i.owner_id, place.owner_id)
    ORDER BY wanted.position`.execute(db);
  return rows.map(({ item }) => item);
}
