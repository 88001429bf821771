import { promisify } from "node:util";
import { zstdCompress } from "node:zlib";
import type { RuntimeEvent } from "@bulwark/model";
import {
  addLosses,
  announce,
  makeRuntimeDays,
  type NewAlert,
  type RuntimeBatch,
  raiseAlerts,
  type Store,
  type TenantQueries,
  type WrittenBatch,
  writeBatches,
} from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import { eventRow } from "./event-row.ts";
import type { EventBatch } from "./gen/wire-types.ts";
import { isOfData } from "./is-of-data.ts";
import { redactBatch } from "./redact-batch.ts";
import { type MarkContainer, runtimeEvents } from "./runtime-events.ts";
import { eventBatch } from "./wire.ts";

const compress = promisify(zstdCompress);
/** Of one transaction: larger ones hold locks longer, smaller ones commit more often. */
const MAX_EVENTS = 20_000;
const MAX_BATCHES = 256;
const RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;
/** Partitions reach a day ahead: made anew long before that. */
const DAYS_EVERY_MS = 3_600_000;

/** What a rule saw, before it has a place in the store. */
export type DetectedAlert = Omit<NewAlert, "batchId" | "position" | "nodeId">;

/** Looks at the events of a node. Called once for each event that is new. */
export type Inspect = (
  tenantId: number,
  nodeId: number,
  events: readonly (RuntimeEvent | undefined)[],
) => Promise<readonly { readonly position: number; readonly alert: DetectedAlert }[]>;

export interface WriterDeps {
  readonly store: Store;
  readonly clock: () => Date;
  readonly log: FastifyBaseLogger;
  readonly inspect: Inspect;
  /** Adds to containers what the server knows of them. */
  readonly markerOf?: (tenantId: number, nodeId: number) => Promise<MarkContainer>;
  /** Told of alerts that were not open before, in the transaction that keeps them. */
  readonly onAlerts: (db: TenantQueries, tenantId: number, alerts: readonly RaisedAlert[]) => Promise<void>;
}

export interface RaisedAlert extends NewAlert {
  readonly id: number;
}

interface Waiting {
  readonly nodeId: number;
  readonly batch: EventBatch;
  /** What rules saw in it: rules remember what they saw, and are not asked again where only the store failed. */
  found?: Awaited<ReturnType<Inspect>>;
  readonly done: () => void;
}

/**
 * How a part of the queue is written. Where what it holds is refused, the next is tried: by batches of one; the batch as it came,
 * nothing of it searchable; that it was lost. What one node sends never keeps back what others do.
 */
const WAYS = ["together", "single", "bare", "lost"] as const;
type Way = (typeof WAYS)[number];

/** Stores what sensors send. */
export interface BatchWriter {
  /** Resolves when the batch, and what rules saw in it, is stored: only then may the sensor forget it. */
  write(tenantId: number, nodeId: number, batch: EventBatch): Promise<void>;
  /** Batches that wait. */
  readonly waiting: number;
  /** Ends without waiting for a database that is away: what was not acknowledged comes again. */
  close(): Promise<void>;
}

/** Puts batches of many nodes into one transaction, as many as came while the one before was written. */
export function createBatchWriter(deps: WriterDeps): BatchWriter {
  const queues = new Map<number, Waiting[]>();
  const running = new Map<number, Promise<void>>();
  let isClosed = false;
  let waiting = 0;
  let daysUntil = 0;

  const drain = async (tenantId: number, queue: Waiting[]): Promise<void> => {
    let pause = RETRY_MS;
    let way: Way = "together";
    while (queue.length > 0 && !isClosed) {
      const part = way === "together" ? partOf(queue) : queue.slice(0, 1);
      try {
        const now = deps.clock();
        if (now.getTime() > daysUntil) {
          await makeRuntimeDays(deps.store, now);
          daysUntil = now.getTime() + DAYS_EVERY_MS;
        }
        await writePart(deps, tenantId, part, way);
        pause = RETRY_MS;
        way = "together";
      } catch (error) {
        const next: Way | undefined = WAYS[WAYS.indexOf(way) + 1];
        deps.log.error({ err: error, batches: part.length, way }, "events cannot be stored; trying again");
        if (isOfData(error) && next !== undefined) {
          way = next;
          continue;
        }
        daysUntil = 0;
        await new Promise((resolve) => setTimeout(resolve, pause).unref());
        pause = Math.min(pause * 2, MAX_RETRY_MS);
        continue;
      }
      queue.splice(0, part.length);
      waiting -= part.length;
      for (const { done } of part) done();
    }
  };

  return {
    get waiting() {
      return waiting;
    },
    write(tenantId, nodeId, batch) {
      const queue = queues.get(tenantId) ?? [];
      queues.set(tenantId, queue);
      waiting++;
      const stored = new Promise<void>((done) => queue.push({ nodeId, batch: redactBatch(batch), done }));
      if (!running.has(tenantId)) {
        const run = drain(tenantId, queue).finally(() => running.delete(tenantId));
        running.set(tenantId, run);
      }
      return stored;
    },
    async close() {
      isClosed = true;
      await Promise.all(running.values());
    },
  };
}

function partOf(queue: readonly Waiting[]): readonly Waiting[] {
  let events = 0;
  let count = 0;
  for (const { batch } of queue) {
    events += batch.events.length;
    if (count > 0 && (events > MAX_EVENTS || count >= MAX_BATCHES)) break;
    count++;
  }
  return queue.slice(0, count);
}

interface Prepared extends RuntimeBatch {
  readonly seen: readonly (RuntimeEvent | undefined)[];
  readonly waiting: Waiting;
}

async function writePart(deps: WriterDeps, tenantId: number, part: readonly Waiting[], way: Way): Promise<void> {
  if (way === "lost") return tellLost(deps, tenantId, part);
  const ready = part.map(async (each) => prepare(each, await deps.markerOf?.(tenantId, each.nodeId)));
  const prepared = (await Promise.all(ready)).map((each) => (way === "bare" ? bare(each) : each));
  await deps.store.tenant(tenantId, async (db) => {
    const now = deps.clock();
    const written = (await writeBatches(db, prepared, now)) as readonly (WrittenBatch & { readonly batch: Prepared })[];
    const alerts: NewAlert[] = [];
    for (const { batch, batchId } of written) {
      if (way === "bare") continue;
      batch.waiting.found ??= await deps.inspect(tenantId, batch.nodeId, batch.seen);
      const { found } = batch.waiting;
      alerts.push(...found.map(({ position, alert }) => ({ ...alert, nodeId: batch.nodeId, batchId, position })));
    }
    if (alerts.length === 0) return;
    const raised = await raiseAlerts(db, alerts);
    await deps.onAlerts(
      db,
      tenantId,
      raised.map(({ id, index }) => ({ ...alerts[index]!, id })),
    );
    await announce(db, { topic: "alerts", id: raised[0]?.id ?? "" });
  });
}

/** Counts batches that the store takes in no way. They are acknowledged: they would be refused each time that they came. */
async function tellLost({ store, clock }: WriterDeps, tenantId: number, part: readonly Waiting[]): Promise<void> {
  for (const { nodeId, batch } of part) {
    const loss = { kind: "batch", reason: "unstorable", count: batch.events.length };
    await store.tenant(tenantId, (db) => addLosses(db, [{ nodeId, losses: [loss] }], clock()));
  }
}

async function prepare(waiting: Waiting, mark?: MarkContainer): Promise<Prepared> {
  const { nodeId, batch } = waiting;
  const seen = runtimeEvents(batch, mark);
  return {
    nodeId,
    epoch: batch.epoch,
    sequence: batch.sequence,
    content: await compress(eventBatch.encode(batch)),
    // A type of a newer sensor is kept under its number, with what every event has.
    events: batch.events.map((event, i) => {
      const known = seen[i];
      if (known !== undefined) return eventRow(known, event.type);
      return {
        ...{ timeUs: event.timeUs, type: event.type, count: Math.max(1, event.count), container: "", pid: 0, name: "" },
        ...{ exe: "", arguments: "", target: "", port: 0, result: 0 },
      };
    }),
    losses: batch.losses.map(({ kind, reason, count }) => ({ kind, reason: LOSS_REASONS[reason] ?? "", count })),
    seen,
    waiting,
  };
}

/** Only the batch itself: its events cannot be searched for, and nothing was looked for in them. */
function bare(batch: Prepared): Prepared {
  const losses = [...batch.losses, { kind: "batch", reason: "unstorable", count: batch.events.length }];
  return { ...batch, events: [], seen: [], losses };
}

const LOSS_REASONS = ["", "buffer", "sampled", "spool", "undescribed"];
