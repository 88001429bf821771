import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/** How it stands with a node: `pending` was not asked yet; the rest are states of its order. */
type UpgradeNodeState =
  | "pending"
  | "skipped"
  | "queued"
  | "sent"
  | "done"
  | "unchanged"
  | "failed"
  | "refused"
  | "expired";

interface UpgradeNode {
  readonly nodeId: number;
  readonly hostname: string;
  readonly connected: boolean;
  readonly architecture: string;
  readonly versionBefore: string;
  readonly state: UpgradeNodeState;
  readonly responseId: number | null;
  /** What the sensor said, or why it was left out. */
  readonly detail: string;
  /** The new program was tried, and the one of before put back. */
  readonly rolledBack: boolean;
  readonly finishedAt: string | null;
}

/** An upgrade of sensors, a wave after the other. */
export interface SensorUpgrade {
  readonly id: number;
  readonly version: string;
  /** Nodes that are upgraded at the same time. */
  readonly wave: number;
  /** Whether a failure keeps the next wave back. */
  readonly stopOnFailure: boolean;
  readonly state: "running" | "done" | "stopped" | "cancelled";
  readonly askedBy: string;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  readonly nodes: readonly UpgradeNode[];
}

const NODES = sql`(SELECT coalesce(jsonb_agg(jsonb_build_object('nodeId', n.id, 'hostname', n.hostname,
    'connected', n.connected_at IS NOT NULL AND n.removed_at IS NULL, 'architecture', coalesce(n.facts->>'architecture', ''),
    'versionBefore', m.version_before, 'responseId', m.response_id,
    'state', CASE WHEN m.skipped <> '' THEN 'skipped' ELSE coalesce(r.state, 'pending') END,
    'detail', CASE WHEN m.skipped <> '' THEN m.skipped ELSE coalesce(r.detail, '') END,
    'rolledBack', r.state = 'failed' AND r.facts ? 'runs' AND r.facts->>'runs' <> r.facts->>'sha256' IS TRUE,
    'finishedAt', to_json(r.finished_at)#>>'{}') ORDER BY m.place), '[]')
  FROM sensor_upgrade_node m JOIN node n ON n.id = m.node_id LEFT JOIN response r ON r.id = m.response_id
  WHERE m.upgrade_id = u.id)`;

const UPGRADE = sql`u.id, u.version, u.wave, u.stops AS "stopOnFailure", u.state, u.asked_by AS "askedBy",
  to_json(u.created_at)#>>'{}' AS "createdAt", to_json(u.finished_at)#>>'{}' AS "finishedAt", ${NODES} AS nodes`;

/** @returns its id; the nodes are upgraded in the order in which they are given */
export async function addSensorUpgrade(
  db: TenantQueries,
  upgrade: Pick<SensorUpgrade, "version" | "wave" | "stopOnFailure" | "askedBy"> & {
    readonly nodeIds: readonly number[];
    readonly now: Date;
  },
): Promise<number> {
  const { version, wave, stopOnFailure, askedBy, nodeIds, now } = upgrade;
  const { rows } = await sql<{ id: number }>`
    INSERT INTO sensor_upgrade (tenant_id, version, wave, stops, asked_by, created_at)
    VALUES (current_tenant(), ${version}, ${wave}, ${stopOnFailure}, ${askedBy}, ${now}) RETURNING id`.execute(db);
  const { id } = rows[0]!;
  await sql`
    INSERT INTO sensor_upgrade_node (tenant_id, upgrade_id, node_id, place, version_before)
    SELECT current_tenant(), ${id}, n.id, given.place, n.sensor_version
    FROM unnest(${nodeIds}::bigint[]) WITH ORDINALITY AS given (id, place) JOIN node n ON n.id = given.id
    WHERE n.removed_at IS NULL`.execute(db);
  return id;
}

/** The newest first. */
export async function listSensorUpgrades(
  db: TenantQueries,
  page: { readonly before?: number | undefined; readonly nodeId?: number | undefined; readonly limit: number },
): Promise<readonly SensorUpgrade[]> {
  const { before = Number.MAX_SAFE_INTEGER, nodeId = null, limit } = page;
  const { rows } = await sql<SensorUpgrade>`
    SELECT ${UPGRADE} FROM sensor_upgrade u WHERE u.id < ${before} AND (${nodeId}::bigint IS NULL OR EXISTS (
      SELECT FROM sensor_upgrade_node m WHERE m.upgrade_id = u.id AND m.node_id = ${nodeId}))
    ORDER BY u.id DESC LIMIT ${limit}`.execute(db);
  return rows;
}

export async function getSensorUpgrade(db: TenantQueries, id: number): Promise<SensorUpgrade | undefined> {
  const { rows } = await sql<SensorUpgrade>`SELECT ${UPGRADE} FROM sensor_upgrade u WHERE u.id = ${id}`.execute(db);
  return rows[0];
}

/** One that runs, locked: two gateways do not begin the same wave. */
export async function lockSensorUpgrade(db: TenantQueries, id: number): Promise<SensorUpgrade | undefined> {
  const { rows } = await sql`SELECT FROM sensor_upgrade WHERE id = ${id} AND state = 'running' FOR UPDATE`.execute(db);
  return rows.length === 0 ? undefined : getSensorUpgrade(db, id);
}

/** Upgrades that run; with a response, the one that it belongs to. */
export async function runningSensorUpgrades(db: TenantQueries, responseId?: number): Promise<readonly number[]> {
  const { rows } = await sql<{ id: number }>`
    SELECT u.id FROM sensor_upgrade u WHERE u.state = 'running' AND (${responseId ?? null}::bigint IS NULL OR EXISTS (
      SELECT FROM sensor_upgrade_node m WHERE m.upgrade_id = u.id AND m.response_id = ${responseId ?? null}))
    ORDER BY u.id`.execute(db);
  return rows.map(({ id }) => id);
}

/** What became of a node: the order that it was given, or why it was left out. */
export async function markUpgradeNode(
  db: TenantQueries,
  upgradeId: number,
  nodeId: number,
  mark: { readonly responseId: number } | { readonly skipped: string },
): Promise<void> {
  const set = "skipped" in mark ? sql`skipped = ${mark.skipped}` : sql`response_id = ${mark.responseId}`;
  await sql`UPDATE sensor_upgrade_node SET ${set} WHERE upgrade_id = ${upgradeId} AND node_id = ${nodeId}`.execute(db);
}

/** @returns whether it ran until now */
export async function endSensorUpgrade(
  db: TenantQueries,
  id: number,
  state: Exclude<SensorUpgrade["state"], "running">,
  now: Date,
): Promise<boolean> {
  const { rows } = await sql`
    UPDATE sensor_upgrade SET state = ${state}, finished_at = ${now} WHERE id = ${id} AND state = 'running' RETURNING id`.execute(
    db,
  );
  return rows.length > 0;
}
