import { sql } from "kysely";
import { jsonText } from "../json-text.ts";
import type { TenantQueries } from "../open-store.ts";

/** An object of a cluster as its agent told of it. */
export interface SeenObject {
  readonly uid: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly document: Readonly<Record<string, unknown>>;
}

/** The same, as it is kept. */
export interface StoredObject extends SeenObject {
  readonly id: number;
  readonly clusterId: number;
  readonly firstSeen: string;
  readonly seenAt: string;
}

/**
 * Begins to keep what is told under an epoch. Epochs of a cluster follow each other; what comes late under an older one is
 * of an agent that does not lead any more.
 *
 * @param epoch compared as text
 * @returns undefined where what is told counts; else the later epoch that is over it
 */
export async function enterEpoch(
  db: TenantQueries,
  clusterId: number,
  epoch: string,
  now: Date,
): Promise<string | undefined> {
  const { rows } = await sql<{ epoch: string }>`
    UPDATE cluster SET synced = CASE WHEN epoch = ${epoch} OR epoch > ${epoch} THEN synced ELSE '{}' END,
      epoch = greatest(epoch, ${epoch}), seen_at = ${now}, changed_at = CASE WHEN epoch > ${epoch} THEN changed_at ELSE ${now} END
    WHERE id = ${clusterId} RETURNING epoch`.execute(db);
  const [found] = rows;
  return found === undefined || found.epoch === epoch ? undefined : found.epoch;
}

export async function keepObjects(
  db: TenantQueries,
  clusterId: number,
  told: { readonly epoch: string; readonly objects: readonly SeenObject[]; readonly now: Date },
): Promise<void> {
  if (told.objects.length === 0) return;
  await sql`
    INSERT INTO cluster_object AS o (tenant_id, cluster_id, uid, api_version, kind, namespace, name, document, epoch, first_seen, seen_at)
    SELECT current_tenant(), ${clusterId}, f->>'uid', f->>'apiVersion', f->>'kind', f->>'namespace', f->>'name', f->'document',
      ${told.epoch}, ${told.now}, ${told.now} FROM jsonb_array_elements(${jsonText(told.objects)}::jsonb) AS f
    ON CONFLICT (cluster_id, uid) DO UPDATE SET api_version = excluded.api_version, document = excluded.document,
      epoch = excluded.epoch, seen_at = excluded.seen_at`.execute(db);
}

/** Objects that are gone, with what followed from them. */
export async function dropObjects(db: TenantQueries, clusterId: number, uids: readonly string[]): Promise<void> {
  if (uids.length === 0) return;
  await sql`DELETE FROM cluster_object WHERE cluster_id = ${clusterId} AND uid = ANY(${uids}::text[])`.execute(db);
  await sql`DELETE FROM pod WHERE cluster_id = ${clusterId} AND uid = ANY(${uids}::text[])`.execute(db);
}

/** Of these kinds, such as `apps/v1/Deployment`, everything that is there was told under this epoch: the rest is gone. */
export async function settleKinds(
  db: TenantQueries,
  clusterId: number,
  { epoch, kinds }: { readonly epoch: string; readonly kinds: readonly string[] },
): Promise<void> {
  if (kinds.length === 0) return;
  const { rows } = await sql<{ uid: string }>`
    DELETE FROM cluster_object WHERE cluster_id = ${clusterId} AND api_version || '/' || kind = ANY(${kinds}::text[]) AND epoch <> ${epoch}
    RETURNING uid`.execute(db);
  await dropObjects(
    db,
    clusterId,
    rows.map(({ uid }) => uid),
  );
  await sql`UPDATE cluster SET synced = ARRAY(SELECT DISTINCT unnest(synced || ${kinds}::text[]) ORDER BY 1)
    WHERE id = ${clusterId}`.execute(db);
}

const OBJECT = sql`o.id, o.cluster_id AS "clusterId", o.uid, o.api_version AS "apiVersion", o.kind, o.namespace, o.name, o.document,
  to_json(o.first_seen)#>>'{}' AS "firstSeen", to_json(o.seen_at)#>>'{}' AS "seenAt"`;

/** All objects of some kinds of one cluster. */
export async function objectsOfKinds(
  db: TenantQueries,
  clusterId: number,
  kinds: readonly string[],
): Promise<readonly StoredObject[]> {
  const { rows } = await sql<StoredObject>`
    SELECT ${OBJECT} FROM cluster_object o WHERE o.cluster_id = ${clusterId} AND o.kind = ANY(${kinds}::text[])
    ORDER BY o.kind, o.namespace, o.name`.execute(db);
  return rows;
}

export async function objectsByUid(
  db: TenantQueries,
  clusterId: number,
  uids: readonly string[],
): Promise<readonly StoredObject[]> {
  const { rows } = await sql<StoredObject>`
    SELECT ${OBJECT} FROM cluster_object o WHERE o.cluster_id = ${clusterId} AND o.uid = ANY(${uids}::text[])`.execute(
    db,
  );
  return rows;
}

export interface ObjectFilter {
  readonly clusterId?: number | undefined;
  readonly kind?: string | undefined;
  readonly namespace?: string | undefined;
  readonly text?: string | undefined;
  readonly after?: number | undefined;
  readonly limit: number;
}

/** Objects by id. */
export async function listObjects(db: TenantQueries, filter: ObjectFilter): Promise<readonly StoredObject[]> {
  const { clusterId, kind, namespace, text = "" } = filter;
  const { rows } = await sql<StoredObject>`
    SELECT ${OBJECT} FROM cluster_object o WHERE o.id > ${filter.after ?? 0}
      AND ${clusterId === undefined ? sql`true` : sql`o.cluster_id = ${clusterId}`}
      AND ${kind === undefined ? sql`true` : sql`o.kind = ${kind}`}
      AND ${namespace === undefined ? sql`true` : sql`o.namespace = ${namespace}`}
      AND strpos(lower(o.name), lower(${text})) > 0 ORDER BY o.id LIMIT ${filter.limit}`.execute(db);
  return rows;
}

/** How many objects of each kind a cluster has. */
export async function countObjects(
  db: TenantQueries,
  clusterId: number | undefined,
): Promise<Readonly<Record<string, number>>> {
  const { rows } = await sql<{ kind: string; count: number }>`
    SELECT kind, count(*)::int AS count FROM cluster_object
    WHERE ${clusterId === undefined ? sql`true` : sql`cluster_id = ${clusterId}`} GROUP BY kind ORDER BY kind`.execute(
    db,
  );
  return Object.fromEntries(rows.map(({ kind, count }) => [kind, count]));
}
