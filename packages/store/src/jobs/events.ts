import { sql } from "kysely";
import type pg from "pg";
import type { Store, TenantQueries } from "../open-store.ts";

const CHANNEL = "bulwark_events";
const RECONNECT_MS = 1_000;

/**
 * What changes are announced of. `orders`, `revocations`, `cluster-revocations`, `admission` and `policies` are for gateways; `access` says that the rights of an account changed, or
 * sessions or tokens of it ended, and is told to no page; the rest is for who watches a list.
 */
type EventTopic =
  | "jobs"
  | "images"
  | "registries"
  | "risks"
  | "cases"
  | "nodes"
  | "containers"
  | "alerts"
  | "responses"
  | "rebuilds"
  | "golden"
  | "clusters"
  | "benchmarks"
  | "orders"
  | "revocations"
  | "cluster-revocations"
  | "admission"
  | "decisions"
  | "policies"
  | "access";

/** Something changed: which list it concerns, and the id of what changed. */
export interface EstateEvent {
  readonly tenantId: number;
  readonly topic: EventTopic;
  readonly id: number | string;
}

/** Tells every server that something changed, when the transaction is kept. (PostgreSQL documentation, "NOTIFY".) */
export async function announce(db: TenantQueries, event: Omit<EstateEvent, "tenantId">): Promise<void> {
  await sql`SELECT pg_notify(${CHANNEL}, jsonb_build_object('tenantId', current_tenant(), 'topic', ${event.topic}::text,
    'id', ${String(event.id)}::text)::text)`.execute(db);
}

export interface EventListener {
  close(): Promise<void>;
}

/**
 * Listens to what any server announces, on a connection of its own that is made again when it breaks.
 *
 * @param onGap what was announced in the meantime is lost: called when the connection is there again
 */
export async function listenToEvents(
  store: Store,
  onEvent: (event: EstateEvent) => void,
  onGap: () => void = () => {},
): Promise<EventListener> {
  let client: pg.PoolClient | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const connect = async (): Promise<void> => {
    const made = await store.pool.connect();
    let isOver = false;
    const lose = () => {
      if (isOver || isClosed) return;
      isOver = true;
      client = undefined;
      made.release(true);
      retry();
    };
    made.on("notification", ({ payload }) => onEvent(JSON.parse(payload ?? "{}")));
    made.on("error", lose);
    made.on("end", lose);
    try {
      await made.query(`LISTEN ${CHANNEL}`);
      client = made;
    } catch (error) {
      if (!isOver) made.release(true);
      isOver = true;
      throw error;
    }
  };
  const retry = (): void => {
    if (isClosed) return;
    timer = setTimeout(() => void connect().then(onGap, retry), RECONNECT_MS);
  };
  await connect();
  return {
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await client?.query("UNLISTEN *").catch(() => {});
      client?.release();
    },
  };
}
