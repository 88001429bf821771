import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import { isInForce } from "./in-force.ts";

/**
 * Accepts the risks that approved waivers of the tenant, of their registry or of their repository mean. What waivers of
 * images mean is told by `acceptWaivedImages`.
 *
 * @param ids only of these; undefined: all that are not closed
 * @returns the risks that were accepted
 */
export async function acceptWaived(
  db: TenantQueries,
  ids: readonly number[] | undefined,
  now: Date,
  actor = "waiver",
): Promise<readonly number[]> {
  if (ids?.length === 0) return [];
  const { rows } = await sql<{ id: number }>`
    WITH meant AS (
      SELECT DISTINCT ON (k.id) k.id AS risk, w.id AS waiver, w.reason, w.until, w.asked_by, w.approved_by
      FROM waiver w JOIN risk k ON k.finding = w.finding AND (w.path = '' OR w.path = k.path)
        JOIN repository r ON r.id = k.repository_id
      WHERE ${isInForce(now)} AND k.state IN ('open', 'assigned', 'fixing', 'reopened')
        AND (${ids === undefined} OR k.id = ANY(${ids ?? []}::bigint[]))
        AND (w.scope = 'tenant' OR (w.scope = 'registry' AND w.scope_id = r.registry_id) OR (w.scope = 'repository' AND w.scope_id = r.id))
      ORDER BY k.id, w.until DESC, w.id),
    accepted AS (
      UPDATE risk k SET state = 'accepted', waiver_id = m.waiver, accept_reason = m.reason, accept_until = m.until,
        asked_by = m.asked_by, approved_by = m.approved_by
      FROM meant m WHERE k.id = m.risk RETURNING k.id, k.waiver_id)
    INSERT INTO risk_event (tenant_id, risk_id, at, actor, action, detail)
    SELECT current_tenant(), id, ${now}, ${actor}, 'waive', 'waiver ' || waiver_id FROM accepted RETURNING risk_id AS id`.execute(
    db,
  );
  return rows.map(({ id }) => id);
}

/**
 * Accepts risks of which every live image that holds the finding is waived, until the first of these waivers ends. An image
 * that is waived says nothing about the others of its repository. Reads the temporary tables `seen` and `live` of a refresh.
 *
 * @returns the risks that were accepted
 */
export async function acceptWaivedImages(db: TenantQueries, now: Date): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    WITH meant AS (
      SELECT DISTINCT ON (k.id) k.id AS risk, w.id AS waiver, w.reason, s.waived_until AS until, w.asked_by, w.approved_by
      FROM seen s JOIN risk k ON k.repository_id = s.repository_id AND k.key = s.key JOIN live l ON l.repository_id = k.repository_id
        JOIN waiver w ON w.scope = 'image' AND w.scope_id = l.image_id AND w.finding = k.finding AND (w.path = '' OR w.path = k.path)
      WHERE s.waived_until IS NOT NULL AND w.until = s.waived_until AND ${isInForce(now)}
        AND k.state IN ('open', 'assigned', 'fixing', 'reopened')
      ORDER BY k.id, w.id),
    accepted AS (
      UPDATE risk k SET state = 'accepted', waiver_id = m.waiver, accept_reason = m.reason, accept_until = m.until,
        asked_by = m.asked_by, approved_by = m.approved_by
      FROM meant m WHERE k.id = m.risk RETURNING k.id, k.waiver_id)
    INSERT INTO risk_event (tenant_id, risk_id, at, actor, action, detail)
    SELECT current_tenant(), id, ${now}, 'waiver', 'waive', 'waiver ' || waiver_id FROM accepted RETURNING risk_id AS id`.execute(
    db,
  );
  return rows.map(({ id }) => id);
}
