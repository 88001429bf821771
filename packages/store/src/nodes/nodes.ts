import { sql } from "kysely";
import { jsonText } from "../json-text.ts";
import type { TenantQueries } from "../open-store.ts";

/** A machine that a sensor watches. */
export interface SensorNode {
  readonly id: number;
  /** Names it in its certificate and in orders. */
  readonly uid: string;
  readonly hostname: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly capabilities: readonly Readonly<Record<string, unknown>>[];
  readonly health: Readonly<Record<string, unknown>> | null;
  readonly sensorVersion: string;
  readonly certificateSerial: string;
  readonly enrolledAt: string;
  readonly seenAt: string | null;
  /** Since when its stream is open; null when it is not. */
  readonly connectedAt: string | null;
  readonly policyRevision: number;
  readonly containers: number;
  /** Events that were lost in the last day, for whatever reason. */
  readonly lost: number;
  /** Who answers for what runs on it where nothing nearer says who does. */
  readonly owner: { readonly id: number; readonly name: string } | null;
}

const NODE = sql`(SELECT jsonb_build_object('id', o.id, 'name', o.name) FROM owner o WHERE o.id = n.owner_id) AS owner,
  n.id, n.uid, n.hostname, n.facts, n.capabilities, n.health, n.sensor_version AS "sensorVersion",
  n.certificate_serial AS "certificateSerial", to_json(n.enrolled_at)#>>'{}' AS "enrolledAt",
  to_json(n.seen_at)#>>'{}' AS "seenAt", to_json(n.connected_at)#>>'{}' AS "connectedAt",
  n.policy_revision AS "policyRevision",
  (SELECT count(*)::int FROM container c WHERE c.node_id = n.id AND c.stopped_at IS NULL) AS containers,
  (SELECT coalesce(sum(l.count), 0)::bigint FROM node_loss l WHERE l.node_id = n.id
    AND l.hour > now() - interval '1 day') AS lost`;

export async function addNode(
  db: TenantQueries,
  node: {
    readonly uid: string;
    readonly hostname: string;
    readonly facts: unknown;
    readonly sensorVersion: string;
    readonly certificateSerial: string;
    readonly now: Date;
  },
): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO node (tenant_id, uid, hostname, facts, sensor_version, certificate_serial, enrolled_at)
    VALUES (current_tenant(), ${node.uid}, ${node.hostname}, ${jsonText(node.facts)}::jsonb, ${node.sensorVersion},
      ${node.certificateSerial}, ${node.now}) RETURNING id`.execute(db);
  return rows[0]!.id;
}

export async function listNodes(
  db: TenantQueries,
  page: { readonly after?: number | undefined; readonly limit: number; readonly text?: string | undefined },
): Promise<readonly SensorNode[]> {
  const text = `%${page.text ?? ""}%`;
  const { rows } = await sql<SensorNode>`
    SELECT ${NODE} FROM node n WHERE n.removed_at IS NULL AND n.id > ${page.after ?? 0} AND n.hostname ILIKE ${text}
    ORDER BY n.id LIMIT ${page.limit}`.execute(db);
  return rows;
}

export async function getNode(db: TenantQueries, id: number): Promise<SensorNode | undefined> {
  const { rows } = await sql<SensorNode>`
    SELECT ${NODE} FROM node n WHERE n.removed_at IS NULL AND n.id = ${id}`.execute(db);
  return rows[0];
}

/**
 * The node of a certificate, if it is still one: not removed, and not certified anew since. A new certificate counts beside the old
 * one until it is first shown: its node may never have got it.
 */
export async function findCertifiedNode(
  db: TenantQueries,
  uid: string,
  serial: string,
): Promise<{ readonly id: number; readonly uid: string; readonly hostname: string } | undefined> {
  const { rows } = await sql<{ id: number; uid: string; hostname: string }>`
    UPDATE node SET certificate_serial = ${serial}, next_serial = CASE WHEN next_serial = ${serial} THEN '' ELSE next_serial END
    WHERE uid = ${uid} AND ${serial} IN (certificate_serial, next_serial) AND removed_at IS NULL RETURNING id, uid, hostname`.execute(
    db,
  );
  return rows[0];
}

export async function certifyNode(db: TenantQueries, id: number, serial: string): Promise<void> {
  await sql`UPDATE node SET next_serial = ${serial} WHERE id = ${id}`.execute(db);
}

/** Its certificate counts no more; what it told stays. */
export async function removeNode(db: TenantQueries, id: number, now: Date): Promise<string | undefined> {
  const { rows } = await sql<{ hostname: string }>`
    UPDATE node SET removed_at = ${now}, connected_at = NULL WHERE id = ${id} AND removed_at IS NULL
    RETURNING hostname`.execute(db);
  return rows[0]?.hostname;
}

/** @param ownerId null for none. @returns whether there is such a node, and such an owner */
export async function setNodeOwner(db: TenantQueries, id: number, ownerId: number | null): Promise<boolean> {
  const { rows } = await sql`
    UPDATE node SET owner_id = ${ownerId} WHERE id = ${id} AND removed_at IS NULL
      AND (${ownerId}::bigint IS NULL OR EXISTS (SELECT FROM owner WHERE id = ${ownerId})) RETURNING id`.execute(db);
  return rows.length > 0;
}

/** A sensor opened its stream at a gateway. */
export async function connectNode(
  db: TenantQueries,
  id: number,
  hello: {
    readonly gateway: string;
    readonly hostname: string;
    readonly facts: unknown;
    readonly capabilities: unknown;
    readonly sensorVersion: string;
    readonly policyRevision: number;
    readonly now: Date;
  },
): Promise<void> {
  await sql`
    UPDATE node SET gateway = ${hello.gateway}, hostname = ${hello.hostname}, facts = ${jsonText(hello.facts)}::jsonb,
      capabilities = ${jsonText(hello.capabilities)}::jsonb, sensor_version = ${hello.sensorVersion},
      policy_revision = ${hello.policyRevision}, seen_at = ${hello.now}, connected_at = ${hello.now}
    WHERE id = ${id}`.execute(db);
}

/** Its stream ended; one that another gateway holds by now stays. */
export async function disconnectNode(db: TenantQueries, id: number, gateway: string, now: Date): Promise<void> {
  await sql`UPDATE node SET connected_at = NULL, seen_at = ${now} WHERE id = ${id} AND gateway = ${gateway}`.execute(
    db,
  );
}

export async function recordHealth(
  db: TenantQueries,
  id: number,
  health: { readonly policyRevision: number; readonly facts: unknown; readonly now: Date },
): Promise<void> {
  await sql`
    UPDATE node SET health = ${jsonText(health.facts)}::jsonb, policy_revision = ${health.policyRevision},
      seen_at = ${health.now} WHERE id = ${id}`.execute(db);
}
