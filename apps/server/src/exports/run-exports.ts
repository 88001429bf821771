import { CodedError } from "@bulwark/model";
import {
  changedAlerts,
  type ExportedBatch,
  type ExportTarget,
  type ExportTurn,
  endExportTurn,
  getAlert,
  getExportTarget,
  listTenants,
  moveExport,
  newBatches,
  type Store,
  takeExportTurn,
} from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import { plain } from "../notifications/message.ts";
import { readEvents } from "../runtime-events/decode-batch.ts";
import { MAX_TENANTS } from "../scans/watch-advisories.ts";
import type { SecretBox } from "../security/secret-box.ts";
import { alertRecord, type ExportRecord, eventRecord } from "./export-record.ts";
import { openExportSecret, openTransport } from "./open-transport.ts";
import type { Transport } from "./transports/transport.ts";

const PAUSE_MS = 2_000;
/** Looking for work takes a tenth of the time at most, however many tenants there are. */
const SPARING = 9;
/** Pauses after failures, in seconds; the last one stands for all further ones: what waits is never given up. */
const PAUSES_S = [5, 15, 30, 60, 120, 300];
const SEND_MS = 15_000;
/** Longer than one call of `send` may take: it is renewed before each. */
const LEASE_MS = 90_000;
const AT_ONCE = 8;
/** Of one turn: then the target waits for its next like all others, however much there is left. */
const TURN_MS = 30_000;
const MAX_ALERTS = 100;
const MAX_BATCHES = 8;
/** Of one call of `send`. */
const MAX_RECORDS = 500;
const MAX_BYTES = 512 * 1024;

export interface ExportDeps {
  readonly store: Store;
  readonly secrets: SecretBox;
  readonly clock: () => Date;
  readonly log: FastifyBaseLogger;
  /** Time that a receiver has for one call; 15 s by default. */
  readonly sendMs?: number;
  /** Time that one target has before others have their turn; 30 s by default. */
  readonly turnMs?: number;
}

/** Sends what is new to every target, until it is closed: those of many servers share the work. */
export function startExports(deps: ExportDeps): { close(): Promise<void> } {
  const running = new Map<number, Promise<void>>();
  const ending = new AbortController();
  let last = 0;
  const rounds = (async () => {
    while (!ending.signal.aborted) {
      const began = performance.now();
      last = await startDue(deps, running, last, ending.signal).catch((error) => {
        deps.log.error({ err: error }, "exports cannot run");
        return last;
      });
      await pause(Math.max(PAUSE_MS, (performance.now() - began) * SPARING), ending.signal);
    }
  })();
  return {
    async close() {
      ending.abort();
      await rounds;
      await Promise.all(running.values());
    },
  };
}

/**
 * One that hangs does not keep the others: each due target runs by itself. Where more are due than run at once, those of the tenants
 * behind the one that was served last come first.
 *
 * @returns the tenant that was served last
 */
async function startDue(
  deps: ExportDeps,
  running: Map<number, Promise<void>>,
  last: number,
  signal: AbortSignal,
): Promise<number> {
  const tenants = (await listTenants(deps.store, { limit: MAX_TENANTS })).map(({ id }) => id);
  const order = [...tenants.filter((id) => id > last), ...tenants.filter((id) => id <= last)];
  let served = last;
  for (const tenantId of order) {
    while (running.size < AT_ONCE && !signal.aborted) {
      const turn = await takeTurn(deps, tenantId, [...running.keys()]);
      if (turn === undefined) break;
      served = tenantId;
      const run = runTurn(deps, tenantId, turn, signal)
        .catch((error) => deps.log.error({ err: error, target: turn.targetId }, "an export broke off"))
        .finally(() => running.delete(turn.targetId));
      running.set(turn.targetId, run);
    }
  }
  return served;
}

/** Sends what is due of one tenant, one target after the other. */
export async function exportForTenant(deps: ExportDeps, tenantId: number): Promise<void> {
  const done: number[] = [];
  for (;;) {
    const turn = await takeTurn(deps, tenantId, done);
    if (turn === undefined) return;
    done.push(turn.targetId);
    await runTurn(deps, tenantId, turn);
  }
}

function takeTurn({ store, clock }: ExportDeps, tenantId: number, except: readonly number[]) {
  const now = clock();
  return store.tenant(tenantId, (db) => takeExportTurn(db, now, new Date(now.getTime() + LEASE_MS), except));
}

async function runTurn(deps: ExportDeps, tenantId: number, turn: ExportTurn, signal?: AbortSignal): Promise<void> {
  const { store, secrets, clock, sendMs: withinMs = SEND_MS } = deps;
  const target = await store.tenant(tenantId, (db) => getExportTarget(db, turn.targetId));
  if (target === undefined) return;
  const end = (afterMs: number, problem?: string) => {
    const dueAt = new Date(clock().getTime() + afterMs);
    return store.tenant(tenantId, (db) =>
      endExportTurn(db, turn, { dueAt, ...(problem === undefined ? {} : { problem }) }),
    );
  };
  // Nothing is opened for a target that has nothing to take.
  let transport: Transport | undefined;
  const send = async (records: readonly ExportRecord[]) => {
    transport ??= await openTransport(
      target,
      await store.tenant(tenantId, (db) => openExportSecret(db, secrets, tenantId, target.id)),
      { clock, withinMs },
    );
    await transport.send(records);
  };
  try {
    await sendAll({ deps, tenantId, turn, target, send, signal });
    await end(PAUSE_MS);
  } catch (error) {
    const seconds = PAUSES_S[Math.min(target.failures, PAUSES_S.length - 1)]!;
    deps.log.warn({ target: target.name, tenant: tenantId, err: error }, "an export failed; it is tried again");
    await end(seconds * 1_000, problemOf(error));
  } finally {
    await transport?.close().catch((error: unknown) => deps.log.debug({ err: error }, "an export did not close"));
  }
}

interface Turn {
  readonly deps: ExportDeps;
  readonly tenantId: number;
  readonly turn: ExportTurn;
  readonly target: ExportTarget;
  readonly send: (records: readonly ExportRecord[]) => Promise<void>;
  readonly signal: AbortSignal | undefined;
}

/** Until nothing is left, the turn is another's or too long, or the server ends. */
async function sendAll(turn: Turn): Promise<void> {
  const until = performance.now() + (turn.deps.turnMs ?? TURN_MS);
  for (;;) {
    const alerts = turn.target.alerts ? await sendAlerts(turn) : 0;
    const batches = turn.target.events ? await sendBatches(turn) : 0;
    if (alerts + batches === 0 || performance.now() > until || turn.signal?.aborted === true) return;
  }
}

/** @returns how many there were; zero too when the turn is over */
async function sendAlerts({ deps, tenantId, turn, target, ...rest }: Turn): Promise<number> {
  const { store } = deps;
  const found = await store.tenant(tenantId, async (db) => {
    const changed = await changedAlerts(db, turn.targetId, MAX_ALERTS);
    const records: ExportRecord[] = [];
    for (const { alertId, cursor } of changed) {
      const alert = await getAlert(db, alertId);
      if (alert !== undefined) records.push(alertRecord(alert, cursor.xid, target.format));
    }
    return { changed, records };
  });
  const last = found.changed.at(-1);
  if (last === undefined) return 0;
  const isOurs = await sendParts({ deps, tenantId, turn, target, ...rest }, found.records);
  return isOurs && (await move(deps, tenantId, turn, { alerts: last.cursor, sent: 0 })) ? found.changed.length : 0;
}

async function sendBatches(all: Turn): Promise<number> {
  const { deps, tenantId, turn, target } = all;
  const batches = await deps.store.tenant(tenantId, (db) => newBatches(db, turn.targetId, MAX_BATCHES));
  for (const batch of batches) {
    const records = await batchRecords(batch, target).catch((error: unknown) => {
      // One that cannot be read must not keep back all that came after it.
      deps.log.error({ err: error, batch: batch.cursor.id }, "a batch of events cannot be read and is not exported");
      return [];
    });
    const isOurs = await sendParts(all, records);
    if (!isOurs || !(await move(deps, tenantId, turn, { batches: batch.cursor, sent: 0 }))) return 0;
  }
  return batches.length;
}

async function batchRecords(
  batch: ExportedBatch,
  { eventTypes, format }: ExportTarget,
): Promise<readonly ExportRecord[]> {
  const wanted = new Set<string>(eventTypes);
  const { nodeId, hostname, cursor } = batch;
  return (await readEvents(batch.content)).flatMap((event, position) => {
    if (event === undefined || (wanted.size > 0 && !wanted.has(event.type))) return [];
    return [eventRecord(event, { batchId: cursor.id, position, nodeId, hostname }, format)];
  });
}

/** Sends records in calls of bounded size, and counts each. @returns whether the turn is still this server's */
async function sendParts({ deps, tenantId, turn, send }: Turn, records: readonly ExportRecord[]): Promise<boolean> {
  for (const part of partsOf(records)) {
    await send(part);
    if (!(await move(deps, tenantId, turn, { sent: part.length }))) return false;
  }
  return true;
}

function* partsOf(records: readonly ExportRecord[]): Generator<readonly ExportRecord[]> {
  let part: ExportRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    if (part.length > 0 && (part.length >= MAX_RECORDS || bytes + record.text.length > MAX_BYTES)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(record);
    bytes += record.text.length;
  }
  if (part.length > 0) yield part;
}

function move(
  { store, clock }: ExportDeps,
  tenantId: number,
  turn: ExportTurn,
  step: Pick<Parameters<typeof moveExport>[2], "alerts" | "batches" | "sent">,
): Promise<boolean> {
  const now = clock();
  const leaseUntil = new Date(now.getTime() + LEASE_MS);
  return store.tenant(tenantId, (db) => moveExport(db, turn, { ...step, now, leaseUntil }));
}

/** What administrators read: one line, without what a receiver may have put in to mislead. */
export function problemOf(error: unknown): string {
  if (error instanceof CodedError && error.next !== "") return plain(`${error.message}; ${error.next}`);
  return plain(error instanceof Error ? error.message : String(error));
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
