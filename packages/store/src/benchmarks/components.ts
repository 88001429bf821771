import { sql } from "kysely";
import { jsonText } from "../json-text.ts";
import type { TenantQueries } from "../open-store.ts";

/** A component of the platform on a node or in a cluster, and the flaws of its version. */
export interface PlatformComponent {
  readonly id: number;
  readonly nodeId: number | null;
  readonly clusterId: number | null;
  readonly place: string;
  /** Such as `containerd`, `kubelet`, `linux`. */
  readonly name: string;
  /** Empty where it could not be told. */
  readonly version: string;
  /** What said so: `package`, `program`, `cluster`. */
  readonly source: string;
  /** What advisories are looked up for; null where there is none that fits. */
  readonly subject: Readonly<Record<string, unknown>> | null;
  /** Why nothing can be said; empty where something can. */
  readonly why: string;
  readonly flaws: readonly ComponentFlaw[];
  /** State of the advisory database that was asked; empty until it was. */
  readonly matched: string;
}

export interface ComponentFlaw {
  readonly id: string;
  readonly severity: string;
  readonly title: string;
  readonly fixedVersion: string;
}

export interface SeenComponent {
  readonly name: string;
  readonly version: string;
  readonly source: string;
  readonly subject: unknown;
  readonly why: string;
}

const COLUMNS = sql`c.id, c.node_id AS "nodeId", c.cluster_id AS "clusterId", coalesce(n.hostname, k.name) AS place, c.name, c.version,
  c.source, c.subject, c.why, c.flaws, c.matched FROM component c LEFT JOIN node n ON n.id = c.node_id
  LEFT JOIN cluster k ON k.id = c.cluster_id`;

/** Keeps what was seen at a place; what is not among it is gone from there. */
export async function recordComponents(
  db: TenantQueries,
  place: { readonly nodeId: number | null; readonly clusterId: number | null },
  seen: readonly SeenComponent[],
  now: Date,
): Promise<void> {
  await sql`
    INSERT INTO component AS c (tenant_id, node_id, cluster_id, name, version, source, subject, why, seen_at)
    SELECT current_tenant(), ${place.nodeId}, ${place.clusterId}, f->>'name', f->>'version', f->>'source',
      NULLIF(f->'subject', 'null'), f->>'why', ${now} FROM jsonb_array_elements(${jsonText(seen)}::jsonb) AS f
    ON CONFLICT (tenant_id, node_id, cluster_id, name, source) DO UPDATE SET version = excluded.version, subject = excluded.subject,
      why = excluded.why, seen_at = excluded.seen_at,
      matched = CASE WHEN c.version = excluded.version AND c.subject IS NOT DISTINCT FROM excluded.subject THEN c.matched ELSE '' END,
      flaws = CASE WHEN c.version = excluded.version AND c.subject IS NOT DISTINCT FROM excluded.subject THEN c.flaws ELSE '[]' END`.execute(
    db,
  );
  await sql`DELETE FROM component WHERE (node_id = ${place.nodeId} OR cluster_id = ${place.clusterId}) AND seen_at < ${now}`.execute(
    db,
  );
}

/** Components that were not looked up in this state of the advisory database. */
export async function unmatchedComponents(
  db: TenantQueries,
  state: string,
  limit: number,
): Promise<readonly PlatformComponent[]> {
  const { rows } = await sql<PlatformComponent>`
    SELECT ${COLUMNS} WHERE c.subject IS NOT NULL AND c.matched <> ${state} ORDER BY c.id LIMIT ${limit}`.execute(db);
  return rows;
}

export async function setComponentFlaws(
  db: TenantQueries,
  id: number,
  found: { readonly flaws: readonly ComponentFlaw[]; readonly why: string; readonly state: string },
): Promise<void> {
  await sql`UPDATE component SET flaws = ${jsonText(found.flaws)}::jsonb, why = ${found.why}, matched = ${found.state}
    WHERE id = ${id}`.execute(db);
}

/** Components by place and name. */
export async function listComponents(
  db: TenantQueries,
  page: { readonly after?: number | undefined; readonly limit: number; readonly flawed?: boolean | undefined },
): Promise<readonly PlatformComponent[]> {
  const { rows } = await sql<PlatformComponent>`SELECT ${COLUMNS} WHERE c.id > ${page.after ?? 0}
    AND (${page.flawed !== true} OR c.flaws <> '[]') AND n.removed_at IS NULL AND k.removed_at IS NULL
    ORDER BY c.id LIMIT ${page.limit}`.execute(db);
  return rows;
}
