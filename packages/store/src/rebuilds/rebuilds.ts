import { sql } from "kysely";
import type { Sight } from "../images/visible.ts";
import type { TenantQueries } from "../open-store.ts";

/** A repository whose images are to be built anew, since the base that they stand on was fixed. */
export interface RebuildTask {
  readonly id: number;
  readonly state: "open" | "done" | "cancelled";
  readonly repository: { readonly id: number; readonly name: string; readonly registry: string };
  readonly owner: { readonly id: number; readonly name: string } | null;
  readonly base: {
    readonly repository: string;
    readonly registry: string;
    readonly tag: string;
    readonly from: string;
    readonly to: string;
  };
  readonly findings: readonly string[];
  readonly openedAt: string;
  readonly closedAt: string | null;
  readonly reopened: number;
}

export interface RebuildPage {
  readonly sight: Sight;
  readonly state?: RebuildTask["state"];
  readonly ownerId?: number;
  readonly after?: number;
  readonly limit: number;
}

/** Tasks, the newest first. */
export async function listRebuilds(db: TenantQueries, page: RebuildPage): Promise<readonly RebuildTask[]> {
  const { sight, state, ownerId, after, limit } = page;
  const conditions = [
    sight === undefined ? sql`true` : sql`coalesce(r.owner_id, g.owner_id) = ANY(${sight})`,
    state === undefined ? sql`true` : sql`t.state = ${state}`,
    ownerId === undefined ? sql`true` : sql`coalesce(r.owner_id, g.owner_id) = ${ownerId}`,
    after === undefined ? sql`true` : sql`t.id < ${after}`,
  ];
  const { rows } = await sql<RebuildTask>`
    SELECT t.id, t.state, jsonb_build_object('id', r.id, 'name', r.name, 'registry', g.name) AS repository,
      CASE WHEN o.id IS NULL THEN NULL ELSE jsonb_build_object('id', o.id, 'name', o.name) END AS owner,
      jsonb_build_object('repository', b.name, 'registry', bg.name, 'tag', t.to_tag, 'from', old.digest, 'to', new.digest) AS base,
      t.findings, to_json(t.opened_at)#>>'{}' AS "openedAt", to_json(t.closed_at)#>>'{}' AS "closedAt", t.reopened
    FROM rebuild_task t JOIN repository r ON r.id = t.repository_id JOIN registry g ON g.id = r.registry_id
      JOIN repository b ON b.id = t.base_repository_id JOIN registry bg ON bg.id = b.registry_id
      JOIN image old ON old.id = t.from_image_id JOIN image new ON new.id = t.to_image_id
      LEFT JOIN owner o ON o.id = coalesce(r.owner_id, g.owner_id)
    WHERE ${sql.join(conditions, sql` AND `)} ORDER BY t.id DESC LIMIT ${limit}`.execute(db);
  return rows;
}

/** Ends an open task that nobody will do: the repository is given up, or stays on the old base for a reason. */
export async function cancelRebuild(db: TenantQueries, id: number, sight: Sight, now: Date): Promise<boolean> {
  const { rows } = await sql<{ id: number }>`
    UPDATE rebuild_task t SET state = 'cancelled', closed_at = ${now} FROM repository r, registry g
    WHERE t.id = ${id} AND t.state = 'open' AND r.id = t.repository_id AND g.id = r.registry_id
      AND ${sight === undefined ? sql`true` : sql`coalesce(r.owner_id, g.owner_id) = ANY(${sight})`} RETURNING t.id`.execute(
    db,
  );
  return rows.length > 0;
}
