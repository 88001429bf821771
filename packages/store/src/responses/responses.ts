import { type RawBuilder, sql } from "kysely";
import { jsonText } from "../json-text.ts";
import type { TenantQueries } from "../open-store.ts";

export type ResponseState =
  | "waiting"
  | "queued"
  | "sent"
  | "done"
  | "unchanged"
  | "failed"
  | "refused"
  | "expired"
  | "dry-run";

/** Something that a sensor was asked to do, and what came of it. */
export interface Response {
  readonly id: number;
  readonly uid: string;
  readonly nodeId: number;
  readonly hostname: string;
  readonly container: string;
  readonly containerName: string;
  readonly action: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly alertId: number | null;
  /** The automatic response that asked for it. */
  readonly automatic: string;
  readonly state: ResponseState;
  readonly askedBy: string;
  readonly approvedBy: string;
  readonly reason: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly finishedAt: string | null;
  readonly detail: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly undoesId: number | null;
  readonly undoneBy: number | null;
  readonly evidence: readonly { readonly id: number; readonly name: string; readonly sizeBytes: number }[];
}

const RESPONSE = sql`r.id, r.uid, r.node_id AS "nodeId", n.hostname, r.container, coalesce(c.name, '') AS "containerName",
  r.action, r.parameters, r.alert_id AS "alertId", coalesce(m.name, '') AS automatic, r.state, r.asked_by AS "askedBy",
  r.approved_by AS "approvedBy", r.reason, to_json(r.created_at)#>>'{}' AS "createdAt",
  to_json(r.expires_at)#>>'{}' AS "expiresAt", to_json(r.finished_at)#>>'{}' AS "finishedAt", r.detail, r.facts,
  r.undoes_id AS "undoesId", (SELECT u.id FROM response u WHERE u.undoes_id = r.id AND u.state IN ('done', 'unchanged')
    ORDER BY u.id DESC LIMIT 1) AS "undoneBy",
  coalesce((SELECT jsonb_agg(jsonb_build_object('id', e.id, 'name', e.name, 'sizeBytes', length(e.content)) ORDER BY e.id)
    FROM evidence e WHERE e.response_id = r.id), '[]') AS evidence`;

const FROM = sql`FROM response r JOIN node n ON n.id = r.node_id
  LEFT JOIN container c ON c.node_id = r.node_id AND c.runtime_id = r.container
  LEFT JOIN automatic_response m ON m.id = r.automatic_id`;

export interface NewResponse {
  readonly uid: string;
  readonly nodeId: number;
  readonly container: string;
  readonly action: string;
  readonly parameters: unknown;
  readonly alertId?: number | undefined;
  readonly automaticId?: number | undefined;
  readonly state: ResponseState;
  readonly askedBy: string;
  readonly reason: string;
  readonly now: Date;
  readonly expiresAt: Date;
  readonly undoesId?: number | undefined;
}

export async function addResponse(db: TenantQueries, response: NewResponse): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO response (tenant_id, uid, node_id, container, action, parameters, alert_id, automatic_id, state,
      asked_by, reason, created_at, expires_at, undoes_id)
    VALUES (current_tenant(), ${response.uid}, ${response.nodeId}, ${response.container}, ${response.action},
      ${jsonText(response.parameters)}::jsonb, ${response.alertId ?? null},
      ${response.automaticId ?? null}, ${response.state}, ${response.askedBy}, ${response.reason}, ${response.now},
      ${response.expiresAt}, ${response.undoesId ?? null}) RETURNING id`.execute(db);
  return rows[0]!.id;
}

export interface ResponseFilter {
  readonly container?: string | undefined;
  readonly alertId?: number | undefined;
  readonly states?: readonly ResponseState[] | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Responses, the newest first. */
export async function listResponses(db: TenantQueries, filter: ResponseFilter): Promise<readonly Response[]> {
  const found: RawBuilder<unknown>[] = [sql`true`];
  if (filter.container !== undefined) found.push(sql`r.container = ${filter.container}`);
  if (filter.alertId !== undefined) found.push(sql`r.alert_id = ${filter.alertId}`);
  if (filter.states !== undefined) found.push(sql`r.state = ANY(${filter.states}::text[])`);
  if (filter.before !== undefined) found.push(sql`r.id < ${filter.before}`);
  const { rows } = await sql<Response>`
    SELECT ${RESPONSE} ${FROM} WHERE ${sql.join(found, sql` AND `)} ORDER BY r.id DESC LIMIT ${filter.limit}`.execute(
    db,
  );
  return rows;
}

export async function getResponse(db: TenantQueries, id: number): Promise<Response | undefined> {
  const { rows } = await sql<Response>`SELECT ${RESPONSE} ${FROM} WHERE r.id = ${id}`.execute(db);
  return rows[0];
}

/** An order that a node has yet to carry out. */
export interface DueResponse {
  readonly id: number;
  readonly uid: string;
  readonly container: string;
  readonly action: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly secret: Buffer | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/**
 * Orders for a node that were not answered: also those that were sent over a stream that has ended since, which a sensor
 * answers again without doing them twice.
 */
export async function takeDueResponses(db: TenantQueries, nodeId: number, now: Date): Promise<readonly DueResponse[]> {
  const { rows } = await sql<DueResponse>`
    UPDATE response SET state = 'sent', sent_at = ${now}
    WHERE node_id = ${nodeId} AND state IN ('queued', 'sent') AND expires_at > ${now}
    RETURNING id, uid, container, action, parameters, secret, created_at AS "createdAt", expires_at AS "expiresAt"`.execute(
    db,
  );
  return rows.toSorted((a, b) => a.id - b.id);
}

/** @returns the response that ended; undefined when its end was known already */
export async function endResponse(
  db: TenantQueries,
  nodeId: number,
  result: {
    readonly uid: string;
    readonly state: ResponseState;
    readonly detail: string;
    readonly facts: unknown;
    readonly at: Date;
  },
): Promise<{ readonly id: number; readonly action: string; readonly alertId: number | null } | undefined> {
  const { rows } = await sql<{ id: number; action: string; alertId: number | null }>`
    UPDATE response SET state = ${result.state}, detail = ${result.detail}, finished_at = ${result.at},
      facts = ${jsonText(result.facts)}::jsonb
    WHERE uid = ${result.uid} AND node_id = ${nodeId} AND state IN ('queued', 'sent', 'expired')
    RETURNING id, action, alert_id AS "alertId"`.execute(db);
  return rows[0];
}

/** A second person lets it happen. @returns whether it was waiting and somebody else had asked for it */
export async function approveResponse(
  db: TenantQueries,
  id: number,
  by: { readonly name: string; readonly expiresAt: Date },
): Promise<boolean> {
  const { rows } = await sql`
    UPDATE response SET state = 'queued', approved_by = ${by.name}, expires_at = ${by.expiresAt}
    WHERE id = ${id} AND state = 'waiting' AND asked_by <> ${by.name} RETURNING id`.execute(db);
  return rows.length > 0;
}

/** Takes back what has not been sent. */
export async function refuseResponse(db: TenantQueries, id: number, name: string, now: Date): Promise<boolean> {
  const { rows } = await sql`
    UPDATE response SET state = 'refused', approved_by = ${name}, finished_at = ${now}, detail = 'taken back before it was sent'
    WHERE id = ${id} AND state IN ('waiting', 'queued') RETURNING id`.execute(db);
  return rows.length > 0;
}

/** Orders that nobody answered in time. */
export async function expireResponses(db: TenantQueries, now: Date): Promise<number> {
  const { rows } = await sql`
    UPDATE response SET state = 'expired', finished_at = ${now},
      detail = CASE WHEN sent_at IS NULL THEN 'the node was not connected in time' ELSE 'the node did not answer in time' END
    WHERE state IN ('waiting', 'queued', 'sent') AND expires_at <= ${now} RETURNING id`.execute(db);
  return rows.length;
}

/** Keeps the key of a quarantined file, sealed for this response. */
export async function sealResponse(db: TenantQueries, id: number, secret: Buffer): Promise<void> {
  await sql`UPDATE response SET secret = ${secret} WHERE id = ${id}`.execute(db);
}

/** The sealed key of a response, such as the one that opens a quarantined file. */
export async function responseSecret(db: TenantQueries, id: number): Promise<Buffer | null> {
  const { rows } = await sql<{ secret: Buffer | null }>`SELECT secret FROM response WHERE id = ${id}`.execute(db);
  return rows[0]?.secret ?? null;
}

/** Of one response: a node that was taken over does not fill the database. */
const MAX_EVIDENCE_FILES = 64;
const MAX_EVIDENCE_BYTES = 128 * 1024 * 1024;

/** Adds a piece of evidence to what came before; pieces that come again after a break are dropped. */
export async function addEvidence(
  db: TenantQueries,
  nodeId: number,
  chunk: {
    readonly uid: string;
    readonly name: string;
    readonly offset: number;
    readonly content: Buffer;
    readonly isLast: boolean;
    readonly cutBytes: number;
  },
): Promise<void> {
  await sql`
    INSERT INTO evidence AS e (tenant_id, response_id, name, content, complete, cut_bytes)
    SELECT current_tenant(), id, ${chunk.name}, ${chunk.content}, ${chunk.isLast}, ${chunk.cutBytes} FROM response
    WHERE uid = ${chunk.uid} AND node_id = ${nodeId} AND action = 'collect-evidence'
      AND (SELECT count(*) FROM evidence WHERE response_id = response.id AND name <> ${chunk.name}) < ${MAX_EVIDENCE_FILES}
    ON CONFLICT (response_id, name) DO UPDATE SET complete = excluded.complete, cut_bytes = excluded.cut_bytes,
      content = CASE WHEN length(e.content) = ${chunk.offset} AND length(e.content) < ${MAX_EVIDENCE_BYTES} THEN e.content || excluded.content ELSE e.content END`.execute(
    db,
  );
}

export async function getEvidence(
  db: TenantQueries,
  id: number,
): Promise<{ readonly name: string; readonly content: Buffer; readonly container: string } | undefined> {
  const { rows } = await sql<{ name: string; content: Buffer; container: string }>`
    SELECT e.name, e.content, r.container FROM evidence e JOIN response r ON r.id = e.response_id WHERE e.id = ${id}`.execute(
    db,
  );
  return rows[0];
}
