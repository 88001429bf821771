import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";
import type { DeliveryState } from "../schema/notifications.ts";

/** A message to one receiver, with what became of it. */
export interface Delivery {
  readonly id: number;
  readonly at: string;
  readonly channelId: number;
  readonly channel: string;
  readonly recipient: string;
  readonly subject: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly problem: string;
  readonly dueAt: string;
  readonly endedAt: string | null;
}

export interface DeliveryAttempt {
  readonly at: string;
  readonly ok: boolean;
  readonly status: number | null;
  readonly problem: string;
  readonly tookMs: number;
}

/** A message that may be sent now, with what it tells. */
export interface DueDelivery {
  readonly id: number;
  readonly channelId: number;
  readonly recipient: string;
  readonly content: unknown;
  /** This attempt's number, from 1. */
  readonly attempt: number;
  readonly createdAt: string;
}

const DELIVERY = sql`d.id, to_json(d.created_at)#>>'{}' AS at, d.channel_id AS "channelId", c.name AS channel, d.recipient,
  d.subject, d.state, d.attempts, d.problem, to_json(d.due_at)#>>'{}' AS "dueAt", to_json(d.ended_at)#>>'{}' AS "endedAt"`;

export async function addDelivery(
  db: TenantQueries,
  delivery: {
    readonly channelId: number;
    readonly recipient: string;
    readonly subject: string;
    readonly content: unknown;
    readonly now: Date;
    readonly dueAt: Date;
  },
): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    INSERT INTO delivery (tenant_id, channel_id, recipient, subject, content, created_at, due_at)
    VALUES (current_tenant(), ${delivery.channelId}, ${delivery.recipient}, ${delivery.subject},
      ${JSON.stringify(delivery.content)}::jsonb, ${delivery.now}, ${delivery.dueAt}) RETURNING id`.execute(db);
  return rows[0]?.id ?? 0;
}

/** A message to the receiver that waits for the same time and was not tried yet: what is new can be added to it. */
export async function waitingDelivery(
  db: TenantQueries,
  of: { readonly channelId: number; readonly recipient: string; readonly dueAt: Date },
): Promise<{ readonly id: number; readonly content: unknown } | undefined> {
  const { rows } = await sql<{ id: number; content: unknown }>`
    SELECT id, content FROM delivery
    WHERE channel_id = ${of.channelId} AND recipient = ${of.recipient} AND due_at = ${of.dueAt} AND state = 'waiting'
      AND attempts = 0 ORDER BY id LIMIT 1 FOR UPDATE`.execute(db);
  return rows[0];
}

export async function rewriteDelivery(
  db: TenantQueries,
  id: number,
  { subject, content }: { readonly subject: string; readonly content: unknown },
): Promise<void> {
  await db
    .updateTable("delivery")
    .set({ subject, content: JSON.stringify(content) })
    .where("id", "=", id)
    .execute();
}

/**
 * Takes messages that are due. Until `leaseUntil` nobody else takes them: a server that dies while it sends costs time, not
 * a message. Such a message may arrive twice; receivers know it by its id.
 */
export async function takeDue(
  db: TenantQueries,
  { now, leaseUntil, limit }: { readonly now: Date; readonly leaseUntil: Date; readonly limit: number },
): Promise<readonly DueDelivery[]> {
  const { rows } = await sql<DueDelivery>`
    UPDATE delivery SET attempts = attempts + 1, due_at = ${leaseUntil}
    WHERE id IN (
      SELECT d.id FROM delivery d JOIN channel c ON c.id = d.channel_id
      WHERE d.state = 'waiting' AND d.due_at <= ${now} AND c.enabled ORDER BY d.due_at, d.id LIMIT ${limit} FOR UPDATE OF d SKIP LOCKED)
    RETURNING id, channel_id AS "channelId", recipient, content, attempts AS attempt, to_json(created_at)#>>'{}' AS "createdAt"`.execute(
    db,
  );
  return rows;
}

/** Takes one message, whether it is due or not. */
export async function takeDelivery(db: TenantQueries, id: number, leaseUntil: Date): Promise<DueDelivery | undefined> {
  const { rows } = await sql<DueDelivery>`
    UPDATE delivery SET attempts = attempts + 1, due_at = ${leaseUntil} WHERE id = ${id} AND state = 'waiting'
    RETURNING id, channel_id AS "channelId", recipient, content, attempts AS attempt, to_json(created_at)#>>'{}' AS "createdAt"`.execute(
    db,
  );
  return rows[0];
}

/** What an attempt came to. */
export interface AttemptEnd {
  readonly at: Date;
  readonly ok: boolean;
  readonly status: number | null;
  readonly problem: string;
  readonly tookMs: number;
  /** When to try again; left out: this was the last attempt. */
  readonly againAt?: Date;
}

/** Logs an attempt, and moves its delivery on. */
export async function endAttempt(db: TenantQueries, id: number, end: AttemptEnd): Promise<void> {
  const { at, ok, status, problem, tookMs, againAt } = end;
  await sql`
    INSERT INTO delivery_attempt (tenant_id, delivery_id, at, ok, status, problem, took_ms)
    SELECT current_tenant(), id, ${at}, ${ok}, ${status}, ${problem}, ${tookMs} FROM delivery WHERE id = ${id}`.execute(
    db,
  );
  const ended = againAt === undefined ? at : null;
  const state = ok ? "delivered" : againAt === undefined ? "failed" : "waiting";
  await sql`
    UPDATE delivery SET state = ${state}, problem = ${problem}, ended_at = ${ended},
      due_at = coalesce(${againAt ?? null}::timestamptz, due_at) WHERE id = ${id}`.execute(db);
}

/** Deliveries, the newest first. */
export async function listDeliveries(
  db: TenantQueries,
  filter: {
    readonly state?: DeliveryState | undefined;
    readonly channelId?: number | undefined;
    readonly before?: number | undefined;
    readonly limit: number;
  },
): Promise<readonly Delivery[]> {
  const { state = null, channelId = null, before = null, limit } = filter;
  const { rows } = await sql<Delivery>`
    SELECT ${DELIVERY} FROM delivery d JOIN channel c ON c.id = d.channel_id
    WHERE (${state}::text IS NULL OR d.state = ${state}) AND (${channelId}::bigint IS NULL OR d.channel_id = ${channelId})
      AND (${before}::bigint IS NULL OR d.id < ${before}) ORDER BY d.id DESC LIMIT ${limit}`.execute(db);
  return rows;
}

export async function getDelivery(
  db: TenantQueries,
  id: number,
): Promise<(Delivery & { readonly log: readonly DeliveryAttempt[] }) | undefined> {
  const { rows } = await sql<Delivery>`
    SELECT ${DELIVERY} FROM delivery d JOIN channel c ON c.id = d.channel_id WHERE d.id = ${id}`.execute(db);
  const [delivery] = rows;
  if (delivery === undefined) return undefined;
  const attempts = await sql<DeliveryAttempt>`
    SELECT to_json(at)#>>'{}' AS at, ok, status, problem, took_ms AS "tookMs" FROM delivery_attempt
    WHERE delivery_id = ${id} ORDER BY id`.execute(db);
  return { ...delivery, log: attempts.rows };
}

/** Lets a delivery that failed be tried anew. @returns whether it had failed */
export async function retryDelivery(db: TenantQueries, id: number, now: Date): Promise<boolean> {
  const changed = await db
    .updateTable("delivery")
    .set({ state: "waiting", attempts: 0, due_at: now, ended_at: null })
    .where("id", "=", id)
    .where("state", "=", "failed")
    .executeTakeFirst();
  return changed.numUpdatedRows > 0n;
}

/** Forgets what was delivered, or given up, before a time. */
export async function forgetDeliveries(db: TenantQueries, before: Date): Promise<void> {
  await db.deleteFrom("delivery").where("ended_at", "<", before).execute();
}
