import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

export type ExportKind = "syslog" | "webhook" | "kafka";
export type ExportFormat = "ocsf" | "native";

/** What somebody sets of a target. */
export interface ExportTargetSettings {
  readonly name: string;
  readonly kind: ExportKind;
  /** `https://siem.example.org/in`, `tls://logs.example.org:6514`, `kafka://broker-1:9092,broker-2:9092`. */
  readonly address: string;
  readonly format: ExportFormat;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly alerts: boolean;
  readonly events: boolean;
  /** Names of the types of events that are sent; empty: all of them. */
  readonly eventTypes: readonly string[];
  readonly enabled: boolean;
}

/** Where events and alerts are sent, and how far that is. */
export interface ExportTarget extends ExportTargetSettings {
  readonly id: number;
  readonly hasSecret: boolean;
  readonly changedBy: string;
  readonly changedAt: string;
  readonly state: "idle" | "sending" | "failing";
  /** Why the last attempt failed; empty when it did not. */
  readonly problem: string;
  readonly failures: number;
  /** Records that the receiver took, those that were sent twice counted twice. */
  readonly sent: number;
  /** Events whose day was dropped before they were sent. */
  readonly missed: number;
  readonly sentAt: string | null;
  /** Since when the oldest waits that has not been sent; null when nothing does. */
  readonly waitingSince: string | null;
}

const COLUMNS = sql`t.id, t.name, t.kind, t.address, t.format, t.settings, t.alerts, t.events, t.event_types AS "eventTypes",
  t.enabled, t.secret IS NOT NULL AS "hasSecret", t.changed_by AS "changedBy", to_json(t.changed_at)#>>'{}' AS "changedAt",
  coalesce(p.state, 'idle') AS state, coalesce(p.problem, '') AS problem, coalesce(p.failures, 0) AS failures,
  coalesce(p.sent, 0) AS sent, coalesce(p.missed, 0) AS missed, to_json(p.sent_at)#>>'{}' AS "sentAt",
  CASE WHEN t.enabled THEN to_json(least(
    CASE WHEN t.alerts THEN (SELECT a.last_at FROM alert a WHERE (a.changed_xid, a.id) > (p.alert_xid, p.alert_id)
      ORDER BY a.changed_xid, a.id LIMIT 1) END,
    CASE WHEN t.events THEN (SELECT b.at FROM runtime_batch b WHERE (b.xid, b.id) > (p.batch_xid, p.batch_id)
      ORDER BY b.xid, b.id LIMIT 1) END))#>>'{}' END AS "waitingSince"`;

/** All targets, by name. */
export async function listExportTargets(db: TenantQueries): Promise<readonly ExportTarget[]> {
  const { rows } = await sql<ExportTarget>`
    SELECT ${COLUMNS} FROM export_target t LEFT JOIN export_progress p ON p.target_id = t.id ORDER BY t.name`.execute(
    db,
  );
  return rows;
}

export async function getExportTarget(db: TenantQueries, id: number): Promise<ExportTarget | undefined> {
  const { rows } = await sql<ExportTarget>`
    SELECT ${COLUMNS} FROM export_target t LEFT JOIN export_progress p ON p.target_id = t.id WHERE t.id = ${id}`.execute(
    db,
  );
  return rows[0];
}

/**
 * Adds a target, or changes the one of this name. A new one begins with what comes from now on; one that is changed goes on
 * where it was, and is tried at once. What it did not want before, or did not get while it was switched off, is left out unless
 * `backlog` asks for it.
 *
 * @returns its id
 */
export async function putExportTarget(
  db: TenantQueries,
  target: ExportTargetSettings & { readonly by: string; readonly now: Date; readonly backlog?: boolean },
): Promise<number> {
  if (target.backlog !== true) await skipUnwanted(db, target);
  const { rows } = await sql<{ id: number }>`
    INSERT INTO export_target (tenant_id, name, kind, address, format, settings, alerts, events, event_types, enabled,
      changed_by, changed_at)
    VALUES (current_tenant(), ${target.name}, ${target.kind}, ${target.address}, ${target.format},
      ${JSON.stringify(target.settings)}::jsonb, ${target.alerts}, ${target.events}, ${target.eventTypes}::text[],
      ${target.enabled}, ${target.by}, ${target.now})
    ON CONFLICT (tenant_id, name) DO UPDATE SET kind = excluded.kind, address = excluded.address, format = excluded.format,
      settings = excluded.settings, alerts = excluded.alerts, events = excluded.events, event_types = excluded.event_types,
      enabled = excluded.enabled, changed_by = excluded.changed_by, changed_at = excluded.changed_at
    RETURNING id`.execute(db);
  const { id } = rows[0]!;
  await sql`
    INSERT INTO export_progress (tenant_id, target_id, alert_xid, batch_xid, due_at)
    SELECT current_tenant(), ${id}, here, here, ${target.now} FROM pg_snapshot_xmin(pg_current_snapshot()) AS here
    ON CONFLICT (target_id) DO UPDATE SET due_at = ${target.now} WHERE export_progress.state = 'failing'`.execute(db);
  return id;
}

/** Moves a target that is there past what it did not get so far, where it is to get it from now on. */
async function skipUnwanted(db: TenantQueries, { name, alerts, events, enabled }: ExportTargetSettings): Promise<void> {
  const begins = (wants: boolean, wanted: string) =>
    sql`${wants && enabled} AND NOT (t.enabled AND ${sql.ref(`t.${wanted}`)})`;
  await sql`
    UPDATE export_progress p SET
      alert_xid = CASE WHEN ${begins(alerts, "alerts")} THEN here ELSE alert_xid END,
      alert_id = CASE WHEN ${begins(alerts, "alerts")} THEN 0 ELSE alert_id END,
      batch_xid = CASE WHEN ${begins(events, "events")} THEN here ELSE batch_xid END,
      batch_id = CASE WHEN ${begins(events, "events")} THEN 0 ELSE batch_id END
    FROM export_target t, pg_snapshot_xmin(pg_current_snapshot()) AS here
    WHERE t.name = ${name} AND p.target_id = t.id`.execute(db);
}

/** @param sealed null takes the secret away */
export async function setExportSecret(db: TenantQueries, id: number, sealed: Buffer | null): Promise<void> {
  await sql`UPDATE export_target SET secret = ${sealed} WHERE id = ${id}`.execute(db);
}

/** The sealed secret of a target; undefined where it has none. */
export async function exportSecret(db: TenantQueries, id: number): Promise<Buffer | undefined> {
  const { rows } = await sql<{ secret: Buffer | null }>`SELECT secret FROM export_target WHERE id = ${id}`.execute(db);
  return rows[0]?.secret ?? undefined;
}

/** @returns the name of what was removed; undefined when there was none */
export async function removeExportTarget(db: TenantQueries, id: number): Promise<string | undefined> {
  const { rows } = await sql<{ name: string }>`DELETE FROM export_target WHERE id = ${id} RETURNING name`.execute(db);
  return rows[0]?.name;
}
