import { type RawBuilder, sql } from "kysely";
import { containing } from "../images/visible.ts";
import type { TenantQueries } from "../open-store.ts";

/** An event as lists show it; the whole of it is in its batch, at its position. */
export interface StoredEvent {
  readonly at: string;
  readonly nodeId: number;
  readonly hostname: string;
  readonly batchId: number;
  readonly position: number;
  readonly type: number;
  readonly count: number;
  readonly container: string;
  readonly containerName: string;
  readonly pid: number;
  readonly name: string;
  readonly exe: string;
  readonly arguments: string;
  readonly target: string;
  readonly port: number;
  readonly result: number;
}

export interface EventFilter {
  readonly since: Date;
  readonly until: Date;
  readonly nodeId?: number | undefined;
  /** Whole runtime id. */
  readonly container?: string | undefined;
  readonly types?: readonly number[] | undefined;
  readonly pid?: number | undefined;
  /** Part of a name, path, argument or address. */
  readonly text?: string | undefined;
  /** Of the last event of the page before, in microseconds since 1970, with batch and position. */
  readonly before?: readonly [number, number, number] | undefined;
  /** Oldest first, as a story is told; otherwise the newest first. */
  readonly ascending?: boolean;
  readonly limit: number;
}

/** Events of a span of time. */
export async function searchEvents(db: TenantQueries, filter: EventFilter): Promise<readonly StoredEvent[]> {
  const where = sql.join(conditions(filter), sql` AND `);
  const order = filter.ascending === true ? sql`ASC` : sql`DESC`;
  const { rows } = await sql<StoredEvent>`
    SELECT to_json(e.at)#>>'{}' AS at, e.node_id AS "nodeId", coalesce(n.hostname, '') AS hostname, e.batch_id AS "batchId",
      e.position, e.type, e.count, e.container, coalesce(c.name, '') AS "containerName", e.pid, e.name, e.exe, e.arguments,
      e.target, e.port, e.result
    FROM (SELECT * FROM runtime_event e WHERE ${where}
      ORDER BY at ${order}, batch_id ${order}, position ${order} LIMIT ${filter.limit}) e
    LEFT JOIN node n ON n.id = e.node_id
    LEFT JOIN container c ON c.node_id = e.node_id AND c.runtime_id = e.container AND e.container <> ''
    ORDER BY e.at ${order}, e.batch_id ${order}, e.position ${order}`.execute(db);
  return rows;
}

function conditions(filter: EventFilter): RawBuilder<unknown>[] {
  const found = [sql`e.at >= ${filter.since}`, sql`e.at <= ${filter.until}`];
  if (filter.nodeId !== undefined) found.push(sql`e.node_id = ${filter.nodeId}`);
  if (filter.container !== undefined) found.push(sql`e.container = ${filter.container}`);
  if (filter.pid !== undefined) found.push(sql`e.pid = ${filter.pid}`);
  if (filter.types !== undefined) found.push(sql`e.type = ANY(${filter.types}::smallint[])`);
  if (filter.text !== undefined && filter.text !== "") {
    const like = containing(filter.text);
    found.push(
      sql`(e.name ILIKE ${like} OR e.exe ILIKE ${like} OR e.arguments ILIKE ${like} OR e.target ILIKE ${like})`,
    );
  }
  if (filter.before !== undefined) {
    const [us, batch, position] = filter.before;
    found.push(sql`(e.at, e.batch_id, e.position) <
      (timestamptz 'epoch' + ${us} * interval '1 microsecond', ${batch}::bigint, ${position}::smallint)`);
  }
  return found;
}

/** A batch as its sensor sent it, compressed; undefined when it is not kept any more. */
export async function readBatch(
  db: TenantQueries,
  batchId: number,
): Promise<{ readonly nodeId: number; readonly content: Buffer } | undefined> {
  const { rows } = await sql<{ nodeId: number; content: Buffer }>`
    SELECT node_id AS "nodeId", content FROM runtime_batch WHERE id = ${batchId}`.execute(db);
  return rows[0];
}
