import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/** A target that this server sends to, until `leaseUntil` or until it says that it is done. */
export interface ExportTurn {
  readonly targetId: number;
  readonly lease: string;
}

/** How far a target has come: the last thing it took, by the transaction that wrote it. Text, for `xid8` has 64 bits. */
interface ExportCursor {
  readonly xid: string;
  readonly id: number;
}

/**
 * Takes a target whose turn it is, so that no other server sends to it meanwhile. One that a server took and did not end is
 * another's after its lease.
 */
export async function takeExportTurn(
  db: TenantQueries,
  now: Date,
  leaseUntil: Date,
  except: readonly number[],
): Promise<ExportTurn | undefined> {
  // After a restore there are targets without progress: they go on with what comes from then on.
  await sql`
    INSERT INTO export_progress (tenant_id, target_id, alert_xid, batch_xid, due_at)
    SELECT current_tenant(), t.id, here, here, ${now} FROM export_target t, pg_snapshot_xmin(pg_current_snapshot()) AS here
    WHERE NOT EXISTS (SELECT FROM export_progress p WHERE p.target_id = t.id) ON CONFLICT DO NOTHING`.execute(db);
  const { rows } = await sql<ExportTurn>`
    UPDATE export_progress p SET lease = ${randomUUID()}, due_at = ${leaseUntil},
      state = CASE WHEN state = 'failing' THEN state ELSE 'sending' END
    WHERE target_id = (
      SELECT q.target_id FROM export_progress q JOIN export_target t ON t.id = q.target_id
      WHERE t.enabled AND q.due_at <= ${now} AND q.target_id <> ALL(${except}::bigint[])
      ORDER BY q.due_at, q.target_id LIMIT 1 FOR UPDATE OF q SKIP LOCKED)
    RETURNING target_id AS "targetId", lease`.execute(db);
  return rows[0];
}

/** What a target took since. */
export interface ExportStep {
  readonly alerts?: ExportCursor;
  readonly batches?: ExportCursor;
  readonly sent: number;
  readonly now: Date;
  readonly leaseUntil: Date;
}

/** Keeps what the receiver took. @returns whether the turn is still this server's */
export async function moveExport(
  db: TenantQueries,
  { targetId, lease }: ExportTurn,
  step: ExportStep,
): Promise<boolean> {
  const { alerts, batches } = step;
  const { rows } = await sql`
    UPDATE export_progress SET due_at = ${step.leaseUntil}, sent = sent + ${step.sent},
      sent_at = CASE WHEN ${step.sent} > 0 THEN ${step.now} ELSE sent_at END,
      state = CASE WHEN ${step.sent} > 0 THEN 'sending' ELSE state END,
      problem = CASE WHEN ${step.sent} > 0 THEN '' ELSE problem END,
      failures = CASE WHEN ${step.sent} > 0 THEN 0 ELSE failures END,
      alert_xid = coalesce(${alerts?.xid ?? null}::text::xid8, alert_xid), alert_id = coalesce(${alerts?.id ?? null}, alert_id),
      batch_xid = coalesce(${batches?.xid ?? null}::text::xid8, batch_xid), batch_id = coalesce(${batches?.id ?? null}, batch_id)
    WHERE target_id = ${targetId} AND lease = ${lease} RETURNING 1`.execute(db);
  return rows.length > 0;
}

/** Gives the turn back. A problem that stands is why it failed; undefined: everything there was is sent. */
export async function endExportTurn(
  db: TenantQueries,
  { targetId, lease }: ExportTurn,
  end: { readonly dueAt: Date; readonly problem?: string },
): Promise<void> {
  const problem = end.problem ?? "";
  await sql`
    UPDATE export_progress SET lease = '', due_at = ${end.dueAt}, problem = ${problem},
      state = ${problem === "" ? "idle" : "failing"}, failures = ${problem === "" ? sql`0` : sql`failures + 1`}
    WHERE target_id = ${targetId} AND lease = ${lease}`.execute(db);
}

/** An alert as it stands after a change. */
export interface ChangedAlert {
  readonly cursor: ExportCursor;
  readonly alertId: number;
}

/** A batch of events in the order in which batches are exported. */
export interface ExportedBatch {
  readonly cursor: ExportCursor;
  readonly nodeId: number;
  readonly hostname: string;
  readonly content: Buffer;
}

/** Alerts that changed since, the one that changed first before the others; one that changed twice is told once. */
export async function changedAlerts(
  db: TenantQueries,
  targetId: number,
  limit: number,
): Promise<readonly ChangedAlert[]> {
  const { rows } = await sql<{ xid: string; id: number }>`
    SELECT a.changed_xid::text AS xid, a.id FROM alert a, export_progress p
    WHERE p.target_id = ${targetId} AND (a.changed_xid, a.id) > (p.alert_xid, p.alert_id)
      AND a.changed_xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY a.changed_xid, a.id LIMIT ${limit}`.execute(db);
  return rows.map(({ xid, id }) => ({ cursor: { xid, id }, alertId: id }));
}

/** Batches that came since, in the order of the transactions that stored them. */
export async function newBatches(
  db: TenantQueries,
  targetId: number,
  limit: number,
): Promise<readonly ExportedBatch[]> {
  const { rows } = await sql<{ xid: string; id: number; nodeId: number; hostname: string; content: Buffer }>`
    SELECT b.xid::text AS xid, b.id, b.node_id AS "nodeId", coalesce(n.hostname, '') AS hostname, b.content
    FROM (SELECT b.xid, b.id, b.node_id, b.content FROM runtime_batch b, export_progress p
      WHERE p.target_id = ${targetId} AND (b.xid, b.id) > (p.batch_xid, p.batch_id)
        AND b.xid < pg_snapshot_xmin(pg_current_snapshot())
      ORDER BY b.xid, b.id LIMIT ${limit}) b
    LEFT JOIN node n ON n.id = b.node_id ORDER BY b.xid, b.id`.execute(db);
  return rows.map(({ xid, id, ...batch }) => ({ ...batch, cursor: { xid, id } }));
}

/** Adds the events of a day that is about to be dropped to what each target misses that has not come so far. */
export async function countMissed(db: TenantQueries, day: string): Promise<void> {
  await sql`
    UPDATE export_progress p SET missed = missed + (
      SELECT count(*) FROM runtime_event e WHERE e.batch_id IN (
        SELECT b.id FROM runtime_batch b WHERE (b.xid, b.id) > (p.batch_xid, p.batch_id)
          AND b.at >= ${day}::date AND b.at < ${day}::date + 1))
    FROM export_target t WHERE t.id = p.target_id AND t.enabled AND t.events AND EXISTS (
      SELECT FROM runtime_batch b WHERE (b.xid, b.id) > (p.batch_xid, p.batch_id)
        AND b.at >= ${day}::date AND b.at < ${day}::date + 1)`.execute(db);
}
