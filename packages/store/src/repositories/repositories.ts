import { sql } from "kysely";
import { containing, type Sight } from "../images/visible.ts";
import type { TenantQueries } from "../open-store.ts";

/** A repository of a registry, with what is in it now. */
export interface Repository {
  readonly id: number;
  readonly name: string;
  readonly registry: { readonly id: number; readonly name: string };
  readonly firstSeen: string;
  readonly goneAt: string | null;
  /** Its own, or its registry's. */
  readonly owner: { readonly id: number; readonly name: string } | null;
  readonly grade: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly tags: number;
  readonly images: number;
  /** Of the images that lie in it, summed. */
  readonly critical: number;
  readonly high: number;
}

export interface RepositoryFilter {
  readonly sight: Sight;
  readonly search?: string | undefined;
  readonly registry?: number | undefined;
  /** Last of the page before. */
  readonly after?: { readonly name: string; readonly id: number } | undefined;
  readonly limit: number;
}

/** Repositories by name; those that are gone are left out. */
export async function listRepositories(db: TenantQueries, filter: RepositoryFilter): Promise<readonly Repository[]> {
  const { search, registry, after, limit, sight } = filter;
  const { rows } = await sql<Repository>`${SELECT}
    WHERE r.gone_at IS NULL AND ${isSeen(sight)}
      AND (${registry ?? null}::bigint IS NULL OR r.registry_id = ${registry ?? null})
      AND (${search ?? null}::text IS NULL OR r.name ILIKE ${containing(search ?? "")})
      AND (${after?.id ?? null}::bigint IS NULL OR (r.name, r.id) > (${after?.name ?? ""}, ${after?.id ?? 0}::bigint))
    ORDER BY r.name, r.id LIMIT ${limit}`.execute(db);
  return rows;
}

export async function getRepository(db: TenantQueries, id: number, sight: Sight): Promise<Repository | undefined> {
  const { rows } = await sql<Repository>`${SELECT} WHERE r.id = ${id} AND ${isSeen(sight)}`.execute(db);
  return rows[0];
}

function isSeen(owners: Sight) {
  return owners === undefined ? sql`true` : sql`coalesce(r.owner_id, g.owner_id) = ANY(${owners})`;
}

const SELECT = sql`
  SELECT r.id, r.name, jsonb_build_object('id', g.id, 'name', g.name) AS registry,
    to_json(r.first_seen)#>>'{}' AS "firstSeen", to_json(r.gone_at)#>>'{}' AS "goneAt",
    CASE WHEN o.id IS NULL THEN NULL ELSE jsonb_build_object('id', o.id, 'name', o.name) END AS owner,
    coalesce(r.grade, g.grade) AS grade, g.labels || r.labels AS labels,
    (SELECT count(*) FROM tag t WHERE t.repository_id = r.id AND t.gone_at IS NULL) AS tags,
    i.images, i.critical, i.high
  FROM repository r JOIN registry g ON g.id = r.registry_id LEFT JOIN owner o ON o.id = coalesce(r.owner_id, g.owner_id)
  LEFT JOIN LATERAL (
    SELECT count(*) AS images, coalesce(sum(i.critical), 0) AS critical, coalesce(sum(i.high), 0) AS high
    FROM image_location l JOIN image i ON i.id = l.image_id WHERE l.repository_id = r.id AND l.gone_at IS NULL) i ON true`;
