import { type RawBuilder, sql } from "kysely";
import { isVisible, type Sight } from "../images/visible.ts";
import type { TenantQueries } from "../open-store.ts";
import { refreshRisks } from "../risks/refresh-risks.ts";
import { acceptWaived } from "./accept-waived.ts";

type WaiverScope = "tenant" | "registry" | "repository" | "image";

/** A finding that somebody takes on, with everything below a place, until a day. It counts once a second person approved. */
export interface Waiver {
  readonly id: number;
  readonly scope: WaiverScope;
  readonly scopeId: number | null;
  /** Name of the place, for people. */
  readonly place: string;
  readonly finding: string;
  /** Only findings of this path; empty: all. */
  readonly path: string;
  readonly reason: string;
  readonly until: string;
  readonly askedBy: { readonly id: number; readonly name: string };
  readonly approver: { readonly id: number; readonly name: string } | null;
  readonly createdAt: string;
  readonly risks: number;
}

export interface NewWaiver {
  readonly scope: WaiverScope;
  readonly scopeId: number | null;
  readonly finding: string;
  readonly path: string;
  readonly reason: string;
  readonly until: string;
  readonly askedBy: number;
  readonly now: Date;
}

/** Who looks: a developer sees what touches the own images, and the own requests. */
export interface WaiverSight {
  readonly sight: Sight;
  readonly accountId: number;
}

const COLUMNS = sql`w.id, w.scope, w.scope_id AS "scopeId", w.finding, w.path, w.reason, to_json(w.until)#>>'{}' AS until,
  coalesce(CASE w.scope
    WHEN 'registry' THEN (SELECT name FROM registry WHERE id = w.scope_id)
    WHEN 'repository' THEN (SELECT g.name || '/' || r.name FROM repository r JOIN registry g ON g.id = r.registry_id WHERE r.id = w.scope_id)
    WHEN 'image' THEN (SELECT digest FROM image WHERE id = w.scope_id) END, '') AS place,
  jsonb_build_object('id', w.asked_by, 'name', coalesce((SELECT name FROM account WHERE id = w.asked_by), '')) AS "askedBy",
  CASE WHEN w.approved_by IS NULL THEN NULL ELSE jsonb_build_object('id', w.approved_by,
    'name', coalesce((SELECT name FROM account WHERE id = w.approved_by), '')) END AS approver,
  to_json(w.created_at)#>>'{}' AS "createdAt",
  (SELECT count(*) FROM risk k WHERE k.waiver_id = w.id AND k.state = 'accepted') AS risks`;

function seenBy({ sight, accountId }: WaiverSight): RawBuilder<unknown> {
  if (sight === undefined) return sql`true`;
  return sql`(w.scope = 'tenant' OR w.asked_by = ${accountId}
    OR (w.scope = 'image' AND EXISTS (SELECT FROM image i WHERE i.id = w.scope_id AND ${isVisible(sight)}))
    OR (w.scope IN ('registry', 'repository') AND EXISTS (
      SELECT FROM repository r JOIN registry g ON g.id = r.registry_id
      WHERE CASE w.scope WHEN 'registry' THEN g.id ELSE r.id END = w.scope_id AND coalesce(r.owner_id, g.owner_id) = ANY(${sight}))))`;
}

export async function addWaiver(db: TenantQueries, waiver: NewWaiver): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO waiver (tenant_id, scope, scope_id, finding, path, reason, until, asked_by, created_at)
    VALUES (current_tenant(), ${waiver.scope}, ${waiver.scopeId}, ${waiver.finding}, ${waiver.path}, ${waiver.reason},
      ${waiver.until}, ${waiver.askedBy}, ${waiver.now}) RETURNING id`.execute(db);
  return rows[0]?.id ?? 0;
}

/** Waivers, the newest first. */
export async function listWaivers(
  db: TenantQueries,
  filter: WaiverSight & {
    readonly finding?: string | undefined;
    /** Only those that nobody approved yet. */
    readonly waiting?: boolean | undefined;
    readonly before?: number | undefined;
    readonly limit: number;
  },
): Promise<readonly Waiver[]> {
  const { finding = null, waiting = false, before = null, limit } = filter;
  const { rows } = await sql<Waiver>`
    SELECT ${COLUMNS} FROM waiver w
    WHERE ${seenBy(filter)} AND (${finding}::text IS NULL OR w.finding = ${finding})
      AND (${!waiting} OR w.approved_by IS NULL) AND (${before}::bigint IS NULL OR w.id < ${before})
    ORDER BY w.id DESC LIMIT ${limit}`.execute(db);
  return rows;
}

export async function getWaiver(db: TenantQueries, id: number, sight: WaiverSight): Promise<Waiver | undefined> {
  const { rows } = await sql<Waiver>`SELECT ${COLUMNS} FROM waiver w WHERE w.id = ${id} AND ${seenBy(sight)}`.execute(
    db,
  );
  return rows[0];
}

/** Whether there is such a place, and who looks may see all of it. */
export async function hasWaiverPlace(
  db: TenantQueries,
  { scope, scopeId }: Pick<NewWaiver, "scope" | "scopeId">,
  sight: Sight,
): Promise<boolean> {
  if (scope === "tenant") return sight === undefined;
  if (scope === "registry" && sight !== undefined) return false;
  const place =
    scope === "registry"
      ? sql`registry g WHERE g.id = ${scopeId}`
      : scope === "image"
        ? sql`image i WHERE i.id = ${scopeId} AND ${isVisible(sight)}`
        : sql`repository r JOIN registry g ON g.id = r.registry_id
            WHERE r.id = ${scopeId} AND (${sight === undefined} OR coalesce(r.owner_id, g.owner_id) = ANY(${sight ?? []}))`;
  const { rows } = await sql<{ found: boolean }>`SELECT EXISTS (SELECT FROM ${place}) AS found`.execute(db);
  return rows[0]?.found === true;
}

/** Approves what somebody else asked for; the risks that it means are accepted. @returns whether it could be approved */
export async function approveWaiver(
  db: TenantQueries,
  id: number,
  by: { readonly accountId: number; readonly name: string; readonly now: Date },
): Promise<boolean> {
  const changed = await sql`
    UPDATE waiver SET approved_by = ${by.accountId}
    WHERE id = ${id} AND approved_by IS NULL AND asked_by <> ${by.accountId} AND until >= ${by.now}::date`.execute(db);
  if (changed.numAffectedRows !== 1n) return false;
  await acceptWaived(db, undefined, by.now, by.name);
  const image = await imageOf(db, id);
  if (image !== undefined) await refreshRisks(db, { images: [image] }, by.now);
  return true;
}

/** Takes a waiver back: the risks that it accepted are open again. */
export async function removeWaiver(
  db: TenantQueries,
  id: number,
  by: { readonly name: string; readonly now: Date },
): Promise<void> {
  const image = await imageOf(db, id);
  // Several waivers of images may have accepted a risk together: it is open again, and accepted again if they still do.
  await sql`
    WITH opened AS (
      UPDATE risk k SET state = CASE WHEN k.assignee_id IS NULL THEN 'open' ELSE 'assigned' END, accept_reason = '',
        accept_until = NULL, asked_by = NULL, approved_by = NULL
      FROM waiver own, waiver w
      WHERE own.id = ${id} AND w.id = k.waiver_id AND k.state = 'accepted' AND (w.id = own.id OR (own.scope = 'image'
        AND w.scope = 'image' AND w.finding = own.finding
        AND k.repository_id IN (SELECT repository_id FROM image_location WHERE image_id = own.scope_id)))
      RETURNING k.id)
    INSERT INTO risk_event (tenant_id, risk_id, at, actor, action, detail)
    SELECT current_tenant(), id, ${by.now}, ${by.name}, 'unwaive', ${`waiver ${id}`} FROM opened`.execute(db);
  await db.deleteFrom("waiver").where("id", "=", id).execute();
  if (image !== undefined) await refreshRisks(db, { images: [image] }, by.now);
}

/** The image that a waiver is for, where it is for one. */
async function imageOf(db: TenantQueries, id: number): Promise<number | undefined> {
  const { rows } = await sql<{ image: number }>`
    SELECT scope_id AS image FROM waiver WHERE id = ${id} AND scope = 'image'`.execute(db);
  return rows[0]?.image;
}
