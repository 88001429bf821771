import { sql } from "kysely";
import type { Sight } from "../images/visible.ts";
import type { TenantQueries } from "../open-store.ts";
import type { GoldenVersionState } from "./paths.ts";

type GoldenState = "proposed" | "approved" | "published" | "deprecated" | "revoked";

interface Person {
  readonly id: number;
  readonly name: string;
}

/** A repository, or one image of it, that others may build on. */
export interface Golden {
  readonly id: number;
  readonly repository: { readonly id: number; readonly name: string; readonly registry: string };
  /** One image alone; empty for whatever the repository's tags name. */
  readonly digest: string;
  readonly purpose: string;
  readonly owner: Person | null;
  /** `at-risk`: published, and its newest version does not pass the rules any more. */
  readonly state: GoldenState | "at-risk";
  readonly proposedBy: Person;
  readonly proposedAt: string;
  readonly approvedBy: Person | null;
  readonly approvedAt: string | null;
  readonly successor: { readonly id: number; readonly repository: string; readonly registry: string } | null;
  readonly reason: string;
  readonly versions: Readonly<Record<GoldenVersionState, number>>;
  readonly latest: {
    readonly id: number;
    readonly tag: string;
    readonly digest: string;
    readonly state: GoldenVersionState;
    readonly publishedAt: string;
  } | null;
  /** Living images that stand on its versions. */
  readonly consumers: number;
}

const FROM = sql`golden g JOIN repository r ON r.id = g.repository_id JOIN registry reg ON reg.id = r.registry_id
  LEFT JOIN owner o ON o.id = coalesce(g.owner_id, r.owner_id, reg.owner_id) LEFT JOIN account pa ON pa.id = g.proposed_by
  LEFT JOIN account aa ON aa.id = g.approved_by LEFT JOIN golden s ON s.id = g.successor_id LEFT JOIN repository sr ON sr.id = s.repository_id
  LEFT JOIN registry sreg ON sreg.id = sr.registry_id
  LEFT JOIN LATERAL (SELECT v.id, v.tag, i.digest, v.state, to_json(v.published_at)#>>'{}' AS "publishedAt" FROM golden_version v
    JOIN image i ON i.id = v.image_id WHERE v.golden_id = g.id ORDER BY v.id DESC LIMIT 1) newest ON true`;
const STATE = sql`CASE WHEN g.state = 'published' AND newest.state = 'at-risk' THEN 'at-risk' ELSE g.state END`;
const count = (state: GoldenVersionState) => sql`${sql.lit(state)},
  (SELECT count(*) FROM golden_version v WHERE v.golden_id = g.id AND v.state = ${sql.lit(state)})`;
const COLUMNS = sql`g.id, jsonb_build_object('id', r.id, 'name', r.name, 'registry', reg.name) AS repository, g.digest, g.purpose,
  CASE WHEN o.id IS NULL THEN NULL ELSE jsonb_build_object('id', o.id, 'name', o.name) END AS owner, ${STATE} AS state,
  jsonb_build_object('id', g.proposed_by, 'name', coalesce(pa.name, '')) AS "proposedBy",
  to_json(g.proposed_at)#>>'{}' AS "proposedAt", to_json(g.approved_at)#>>'{}' AS "approvedAt",
  CASE WHEN g.approved_by IS NULL THEN NULL ELSE jsonb_build_object('id', g.approved_by, 'name', coalesce(aa.name, '')) END AS "approvedBy",
  CASE WHEN s.id IS NULL THEN NULL ELSE jsonb_build_object('id', s.id, 'repository', sr.name, 'registry', sreg.name) END AS successor,
  g.reason, jsonb_build_object(${count("published")}, ${count("at-risk")}, ${count("deprecated")}, ${count("revoked")}) AS versions,
  CASE WHEN newest.id IS NULL THEN NULL ELSE to_jsonb(newest) END AS latest,
  (SELECT coalesce(sum(n.beneath), 0) FROM lineage_node n WHERE n.chain_id IN (SELECT c.id FROM golden_version v
    JOIN chain c ON c.digest = v.chain WHERE v.golden_id = g.id)) AS consumers`;

export interface GoldenFilter {
  readonly states?: readonly string[];
  readonly ownerId?: number;
  /** Part of the repository's name or of the purpose. */
  readonly search?: string;
  readonly after?: number;
  readonly limit: number;
}

/** Golden images and candidates, the newest first. */
export async function listGolden(db: TenantQueries, filter: GoldenFilter): Promise<readonly Golden[]> {
  const { states = [], ownerId, search, after, limit } = filter;
  const like = search === undefined ? null : `%${search.replace(/[\\%_]/g, "\\$&")}%`;
  const { rows } = await sql<Golden>`
    SELECT ${COLUMNS} FROM ${FROM}
    WHERE (${states.length === 0} OR ${STATE} = ANY(${states}::text[]))
      AND (${ownerId ?? null}::bigint IS NULL OR o.id = ${ownerId ?? null})
      AND (${like}::text IS NULL OR reg.name || '/' || r.name ILIKE ${like} OR g.purpose ILIKE ${like})
      AND ${after === undefined ? sql`true` : sql`g.id < ${after}`} ORDER BY g.id DESC LIMIT ${limit}`.execute(db);
  return rows;
}

export async function getGolden(db: TenantQueries, id: number): Promise<Golden | undefined> {
  const { rows } = await sql<Golden>`SELECT ${COLUMNS} FROM ${FROM} WHERE g.id = ${id}`.execute(db);
  return rows[0];
}

export interface NewGolden {
  readonly repositoryId: number;
  readonly digest: string;
  readonly purpose: string;
  readonly ownerId: number | null;
  readonly accountId: number;
  readonly name: string;
  readonly now: Date;
}

/** @returns its id; undefined where the same was proposed already */
export async function proposeGolden(db: TenantQueries, golden: NewGolden): Promise<number | undefined> {
  const { repositoryId, digest, purpose, ownerId, accountId, name, now } = golden;
  const { rows } = await sql<{ id: number }>`
    INSERT INTO golden (tenant_id, repository_id, digest, purpose, owner_id, state, proposed_by, proposed_at)
    VALUES (current_tenant(), ${repositoryId}, ${digest}, ${purpose}, ${ownerId}, 'proposed', ${accountId}, ${now})
    ON CONFLICT (repository_id, digest) DO NOTHING RETURNING id`.execute(db);
  const id = rows[0]?.id;
  if (id !== undefined) await noteGolden(db, { id, actor: name, action: "proposed", detail: purpose, now });
  return id;
}

/** Whether there is a repository that may be seen, and an image of the digest in it where one is given. */
export async function hasGoldenPlace(
  db: TenantQueries,
  repositoryId: number,
  digest: string,
  sight: Sight,
): Promise<boolean> {
  const { rows } = await sql`
    SELECT FROM repository r JOIN registry g ON g.id = r.registry_id
    WHERE ${sight === undefined ? sql`true` : sql`coalesce(r.owner_id, g.owner_id) = ANY(${sight}::bigint[])`}
      AND r.id = ${repositoryId} AND r.gone_at IS NULL AND (${digest} = '' OR EXISTS (
      SELECT FROM image_location l JOIN image i ON i.id = l.image_id
      WHERE l.repository_id = r.id AND l.gone_at IS NULL AND i.digest = ${digest}))`.execute(db);
  return rows.length > 0;
}

interface Actor {
  readonly accountId: number;
  readonly name: string;
  readonly now: Date;
}

/** @returns whether it waited for approval, and somebody else had proposed it */
export async function approveGolden(db: TenantQueries, id: number, { accountId, name, now }: Actor): Promise<boolean> {
  const { rows } = await sql<{ id: number }>`
    UPDATE golden SET state = 'approved', approved_by = ${accountId}, approved_at = ${now}
    WHERE id = ${id} AND state = 'proposed' AND proposed_by <> ${accountId} RETURNING id`.execute(db);
  if (rows.length > 0) await noteGolden(db, { id, actor: name, action: "approved", detail: "", now });
  return rows.length > 0;
}

/** Takes back what was not published yet. @returns whether it was so */
export async function withdrawGolden(db: TenantQueries, id: number): Promise<boolean> {
  const { rows } = await sql<{ id: number }>`
    DELETE FROM golden WHERE id = ${id} AND state IN ('proposed', 'approved') RETURNING id`.execute(db);
  return rows.length > 0;
}

export interface GoldenEnd {
  readonly state: "deprecated" | "revoked";
  readonly reason: string;
  readonly successorId: number | null;
  /** One version alone; left out: all of them. */
  readonly versionId?: number;
  readonly name: string;
  readonly now: Date;
}

/**
 * Deprecates or revokes versions. What was revoked stays so.
 *
 * @returns chains whose standing changed
 */
export async function endGolden(db: TenantQueries, id: number, end: GoldenEnd): Promise<readonly string[]> {
  const { state, reason, successorId, versionId, name, now } = end;
  const { rows } = await sql<{ chain: string }>`
    UPDATE golden_version SET state = ${state}, reason = ${reason}, changed_at = ${now}
    WHERE golden_id = ${id} AND state <> 'revoked' AND state <> ${state}
      AND ${versionId === undefined ? sql`true` : sql`id = ${versionId}`} RETURNING chain`.execute(db);
  if (versionId === undefined) {
    await sql`
      UPDATE golden SET state = ${state}, reason = ${reason}, successor_id = ${successorId}
      WHERE id = ${id} AND state <> 'revoked'`.execute(db);
  }
  await noteGolden(db, {
    id,
    ...(versionId === undefined ? {} : { versionId }),
    actor: name,
    action: state,
    detail: reason,
    now,
  });
  return rows.map(({ chain }) => chain);
}

export interface GoldenEvent {
  readonly id: number;
  readonly versionId: number | null;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly detail: string;
}

const MAX_EVENTS = 500;

/** What happened to it, the newest first. */
export async function goldenEvents(db: TenantQueries, id: number): Promise<readonly GoldenEvent[]> {
  const { rows } = await sql<GoldenEvent>`
    SELECT id, version_id AS "versionId", to_json(at)#>>'{}' AS at, actor, action, detail FROM golden_event
    WHERE golden_id = ${id} ORDER BY id DESC LIMIT ${MAX_EVENTS}`.execute(db);
  return rows;
}

export async function noteGolden(
  db: TenantQueries,
  event: {
    readonly id: number;
    readonly versionId?: number;
    readonly actor: string;
    readonly action: string;
    readonly detail: string;
    readonly now: Date;
  },
): Promise<void> {
  await sql`
    INSERT INTO golden_event (tenant_id, golden_id, version_id, at, actor, action, detail)
    VALUES (current_tenant(), ${event.id}, ${event.versionId ?? null}, ${event.now}, ${event.actor}, ${event.action}, ${event.detail})`.execute(
    db,
  );
}
