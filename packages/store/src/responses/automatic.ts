import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/** What happens by itself when an alert meets a condition. */
export interface AutomaticResponse {
  readonly id: number;
  readonly name: string;
  /** CEL over the alert. */
  readonly condition: string;
  readonly actions: readonly string[];
  /** `dry-run` only writes down what it would have done; `approve` waits for a person. */
  readonly mode: "off" | "dry-run" | "approve" | "act";
  /** At most so many in an hour, over all containers. */
  readonly perHour: number;
  readonly createdBy: string;
  readonly createdAt: string;
}

const AUTOMATIC = sql`id, name, condition, actions, mode, per_hour AS "perHour", created_by AS "createdBy",
  to_json(created_at)#>>'{}' AS "createdAt"`;

export async function listAutomaticResponses(db: TenantQueries): Promise<readonly AutomaticResponse[]> {
  const { rows } = await sql<AutomaticResponse>`SELECT ${AUTOMATIC} FROM automatic_response ORDER BY name`.execute(db);
  return rows;
}

/** Adds one, or puts another in the place of one of the same name. */
export async function putAutomaticResponse(
  db: TenantQueries,
  response: Pick<AutomaticResponse, "name" | "condition" | "actions" | "mode" | "perHour"> & {
    readonly by: string;
    readonly now: Date;
  },
): Promise<AutomaticResponse> {
  const { name, condition, actions, mode, perHour, by, now } = response;
  const { rows } = await sql<AutomaticResponse>`
    INSERT INTO automatic_response (tenant_id, name, condition, actions, mode, per_hour, created_by, created_at)
    VALUES (current_tenant(), ${name}, ${condition}, ${actions}::text[], ${mode}, ${perHour}, ${by}, ${now})
    ON CONFLICT (tenant_id, name) DO UPDATE SET condition = excluded.condition, actions = excluded.actions,
      mode = excluded.mode, per_hour = excluded.per_hour
    RETURNING ${AUTOMATIC}`.execute(db);
  return rows[0]!;
}

export async function removeAutomaticResponse(db: TenantQueries, id: number): Promise<string | undefined> {
  const { rows } = await sql<{ name: string }>`
    DELETE FROM automatic_response WHERE id = ${id} RETURNING name`.execute(db);
  return rows[0]?.name;
}

/** How many responses it asked for since. Its row is locked: two gateways do not count past the limit together. */
export async function countAutomatic(db: TenantQueries, id: number, since: Date): Promise<number> {
  await sql`SELECT FROM automatic_response WHERE id = ${id} FOR UPDATE`.execute(db);
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::int AS count FROM response WHERE automatic_id = ${id} AND created_at > ${since} AND state <> 'dry-run'`.execute(
    db,
  );
  return rows[0]?.count ?? 0;
}
