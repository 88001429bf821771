import { sql } from "kysely";
import type { TenantQueries } from "../open-store.ts";

/** Earlier and later clocks are not believed: a partition would be made for each day that somebody makes up. */
const BELIEVED_BEFORE_MS = 8 * 86_400_000;
const BELIEVED_AFTER_MS = 3_600_000;

/** What is searched for, of one event. `target` is its path, address or name, whichever it has. */
export interface EventRow {
  readonly timeUs: number;
  readonly type: number;
  readonly count: number;
  readonly container: string;
  readonly pid: number;
  readonly name: string;
  readonly exe: string;
  readonly arguments: string;
  readonly target: string;
  readonly port: number;
  readonly result: number;
}

/** A sensor's batch: as it came, and what of it is searched for. */
export interface RuntimeBatch {
  readonly nodeId: number;
  readonly epoch: string;
  readonly sequence: number;
  readonly content: Buffer;
  readonly events: readonly EventRow[];
  readonly losses: readonly { readonly kind: string; readonly reason: string; readonly count: number }[];
}

/** Where a batch was put; events in it are found by position. */
export interface WrittenBatch {
  readonly batch: RuntimeBatch;
  readonly batchId: number;
}

/**
 * Stores batches that are not stored yet. A batch that a sensor sends again, since it never heard that it was stored, is left
 * out: what is returned is what is new.
 *
 * @throws when a day's partition is not there: call `makeRuntimeDays` for the days first
 */
export async function writeBatches(
  db: TenantQueries,
  batches: readonly RuntimeBatch[],
  now: Date,
): Promise<readonly WrittenBatch[]> {
  const fresh = await takeFresh(db, batches, now);
  if (fresh.length === 0) return [];
  const { rows: ids } = await sql<{ id: number }>`
    SELECT nextval('runtime_batch_seq') AS id FROM generate_series(1, ${fresh.length})`.execute(db);
  const written = fresh.map((batch, i) => ({ batch, batchId: ids[i]!.id }));
  await insertBatches(db, written, now);
  await insertEvents(db, written, now);
  await addLosses(db, fresh, now);
  return written;
}

/** Locks the spools concerned and moves them on. */
async function takeFresh(db: TenantQueries, batches: readonly RuntimeBatch[], now: Date): Promise<RuntimeBatch[]> {
  const newest = new Map<string, { nodeId: number; epoch: string; sequence: number }>();
  for (const { nodeId, epoch, sequence } of batches) {
    const key = `${nodeId} ${epoch}`;
    if (sequence > (newest.get(key)?.sequence ?? 0)) newest.set(key, { nodeId, epoch, sequence });
  }
  // In one order everywhere, so that two gateways never wait for each other.
  const spools = [...newest].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, spool]) => spool);
  const { rows } = await sql<{ node_id: number; epoch: string; before: number }>`
    WITH next AS (
      SELECT * FROM unnest(${spools.map((s) => s.nodeId)}::bigint[], ${spools.map((s) => s.epoch)}::text[],
        ${spools.map((s) => s.sequence)}::bigint[]) AS next (node_id, epoch, sequence)
    ), old AS (
      SELECT node_id, epoch, node_spool.sequence FROM node_spool JOIN next USING (node_id, epoch)
        ORDER BY node_id, epoch FOR UPDATE OF node_spool
    ), moved AS (
      INSERT INTO node_spool AS spool (tenant_id, node_id, epoch, sequence, at)
        SELECT current_tenant(), node_id, epoch, sequence, ${now} FROM next
        ON CONFLICT (node_id, epoch) DO UPDATE SET sequence = greatest(spool.sequence, excluded.sequence), at = excluded.at
    )
    SELECT next.node_id, next.epoch, coalesce(old.sequence, 0)::bigint AS before
    FROM next LEFT JOIN old USING (node_id, epoch)`.execute(db);
  const stored = new Map(rows.map(({ node_id, epoch, before }) => [`${node_id} ${epoch}`, before]));
  const seen = new Set<string>();
  return batches.filter(({ nodeId, epoch, sequence }) => {
    const key = `${nodeId} ${epoch}`;
    if (sequence <= (stored.get(key) ?? 0) || seen.has(`${key} ${sequence}`)) return false;
    seen.add(`${key} ${sequence}`);
    return true;
  });
}

async function insertBatches(db: TenantQueries, written: readonly WrittenBatch[], now: Date): Promise<void> {
  await sql`
    INSERT INTO runtime_batch (id, tenant_id, node_id, at, content)
    SELECT id, current_tenant(), node_id, ${now}, content FROM unnest(${written.map((w) => w.batchId)}::bigint[],
      ${written.map((w) => w.batch.nodeId)}::bigint[], ${written.map((w) => w.batch.content)}::bytea[])
      AS batch (id, node_id, content)`.execute(db);
}

async function insertEvents(db: TenantQueries, written: readonly WrittenBatch[], now: Date): Promise<void> {
  const columns = columnsOf(written, now);
  if (columns.at.length === 0) return;
  await sql`
    INSERT INTO runtime_event (tenant_id, at, node_id, batch_id, position, type, count, container, pid, name, exe, arguments,
      target, port, result)
    SELECT current_tenant(), to_timestamp(at), node_id, batch_id, position, type, count, container, pid, name, exe, arguments,
      target, port, result
    FROM unnest(${columns.at}::float8[], ${columns.nodeId}::bigint[], ${columns.batchId}::bigint[],
      ${columns.position}::smallint[], ${columns.type}::smallint[], ${columns.count}::int[], ${columns.container}::text[],
      ${columns.pid}::int[], ${columns.name}::text[], ${columns.exe}::text[], ${columns.arguments}::text[],
      ${columns.target}::text[], ${columns.port}::int[], ${columns.result}::int[])
      AS event (at, node_id, batch_id, position, type, count, container, pid, name, exe, arguments, target, port, result)`.execute(
    db,
  );
}

function columnsOf(written: readonly WrittenBatch[], now: Date) {
  const columns = {
    at: [] as number[],
    nodeId: [] as number[],
    batchId: [] as number[],
    position: [] as number[],
    type: [] as number[],
    count: [] as number[],
    container: [] as string[],
    pid: [] as number[],
    name: [] as string[],
    exe: [] as string[],
    arguments: [] as string[],
    target: [] as string[],
    port: [] as number[],
    result: [] as number[],
  };
  for (const { batch, batchId } of written) {
    for (const [position, event] of batch.events.entries()) {
      columns.at.push(believed(event.timeUs, now) / 1_000);
      columns.nodeId.push(batch.nodeId);
      columns.batchId.push(batchId);
      columns.position.push(position);
      columns.type.push(event.type);
      columns.count.push(event.count);
      columns.container.push(event.container);
      columns.pid.push(event.pid);
      columns.name.push(event.name);
      columns.exe.push(event.exe);
      columns.arguments.push(event.arguments);
      columns.target.push(event.target);
      columns.port.push(event.port);
      columns.result.push(event.result);
    }
  }
  return columns;
}

/** Milliseconds of an event, or of now where its clock is out of the question. */
function believed(timeUs: number, now: Date): number {
  const ms = timeUs / 1_000;
  const age = now.getTime() - ms;
  return age < BELIEVED_BEFORE_MS && age > -BELIEVED_AFTER_MS ? ms : now.getTime();
}

/** Counts what nodes lost, by hour. */
export async function addLosses(
  db: TenantQueries,
  batches: readonly Pick<RuntimeBatch, "nodeId" | "losses">[],
  now: Date,
): Promise<void> {
  const losses = new Map<string, { nodeId: number; kind: string; reason: string; count: number }>();
  for (const { nodeId, losses: lost } of batches) {
    for (const { kind, reason, count } of lost) {
      const key = `${nodeId} ${kind} ${reason}`;
      losses.set(key, { nodeId, kind, reason, count: count + (losses.get(key)?.count ?? 0) });
    }
  }
  if (losses.size === 0) return;
  const rows = [...losses.values()];
  await sql`
    INSERT INTO node_loss (tenant_id, node_id, kind, reason, hour, count)
    SELECT current_tenant(), node_id, kind, reason, date_trunc('hour', ${now}::timestamptz), count
    FROM unnest(${rows.map((r) => r.nodeId)}::bigint[], ${rows.map((r) => r.kind)}::text[],
      ${rows.map((r) => r.reason)}::text[], ${rows.map((r) => r.count)}::bigint[]) AS loss (node_id, kind, reason, count)
    ON CONFLICT (node_id, hour, kind, reason) DO UPDATE SET count = node_loss.count + excluded.count`.execute(db);
}
