import {
  type DueDelivery,
  endAttempt,
  forgetDeliveries,
  getChannel,
  listTenants,
  noticeStates,
  type Store,
  takeDue,
} from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import { MAX_TENANTS } from "../scans/watch-advisories.ts";
import type { SecretBox } from "../security/secret-box.ts";
import type { Receipt } from "./channel.ts";
import type { Content } from "./message.ts";
import { routeNotices } from "./route-notices.ts";
import { openChannel, send } from "./send.ts";

/** Pauses before the next attempt, in seconds: some fourteen hours in all. */
const PAUSES_S = [30, 120, 600, 1_800, 3_600, 14_400, 28_800];
const MAX_PAUSE_S = 24 * 60 * 60;
const ATTEMPT_MS = 15_000;
/** Longer than an attempt may take: what a server took and did not end is another's after it. */
const LEASE_MS = 5 * 60_000;
const AT_ONCE = 8;
/** Messages of a tenant in one run: the next begins a minute later. */
const MAX_RUN = 400;
const KEPT_DAYS = 90;
const DAY_MS = 86_400_000;

export interface DeliverDeps {
  readonly store: Store;
  readonly secrets: SecretBox;
  readonly clock: () => Date;
  readonly log: FastifyBaseLogger;
  readonly publicUrl?: string | undefined;
  /** Time that a receiver has to answer; 15 s by default. */
  readonly attemptMs?: number;
  /** A test: what fails is not tried again. */
  readonly triesOnce?: boolean;
}

/** Turns what happened into messages, and sends those that are due, for every tenant. */
export async function deliverNotifications(deps: DeliverDeps): Promise<void> {
  for (const { id } of await listTenants(deps.store, { limit: MAX_TENANTS })) {
    // One tenant's trouble must not keep the others from hearing of theirs.
    await deliverForTenant(deps, id).catch((error) =>
      deps.log.error({ err: error, tenant: id }, "notifications could not be delivered"),
    );
  }
}

export async function deliverForTenant(deps: DeliverDeps, tenantId: number): Promise<void> {
  const { store, clock } = deps;
  await store.tenant(tenantId, (db) => noticeStates(db, clock()));
  while ((await store.tenant(tenantId, (db) => routeNotices(db, clock()))) > 0);
  for (let sent = 0; sent < MAX_RUN; sent += AT_ONCE) {
    const now = clock();
    const leaseUntil = new Date(now.getTime() + LEASE_MS);
    const due = await store.tenant(tenantId, (db) => takeDue(db, { now, leaseUntil, limit: AT_ONCE }));
    if (due.length === 0) break;
    await Promise.all(due.map((delivery) => attempt(deps, tenantId, delivery)));
  }
  await store.tenant(tenantId, (db) => forgetDeliveries(db, new Date(clock().getTime() - KEPT_DAYS * DAY_MS)));
}

/** Makes one attempt, and writes down what came of it. */
export async function attempt(deps: DeliverDeps, tenantId: number, delivery: DueDelivery): Promise<Receipt> {
  const { store, secrets, clock, publicUrl = "", attemptMs: withinMs = ATTEMPT_MS } = deps;
  const channel = await store.tenant(tenantId, (db) => getChannel(db, delivery.channelId));
  if (channel === undefined) return { ok: false, status: null, problem: "the channel is gone", again: false };
  const began = performance.now();
  const at = clock();
  const opened = await store
    .tenant(tenantId, (db) => openChannel(db, secrets, tenantId, channel.id))
    .then((value) => () => value)
    .catch((error: unknown) => () => {
      throw error;
    });
  const message = {
    id: `${tenantId}-${delivery.id}`,
    at: delivery.createdAt,
    recipient: delivery.recipient,
    content: delivery.content as Content,
    publicUrl,
  };
  const receipt = await send(channel, opened, message, { now: at, withinMs });
  const tookMs = Math.round(performance.now() - began);
  const againAt = receipt.ok || deps.triesOnce === true ? undefined : nextAttempt(receipt, delivery.attempt, at);
  const end = { at, ok: receipt.ok, status: receipt.status, problem: receipt.ok ? "" : receipt.problem, tookMs };
  await store.tenant(tenantId, (db) => endAttempt(db, delivery.id, againAt === undefined ? end : { ...end, againAt }));
  return receipt;
}

/** When to try again; undefined: not any more. A receiver that says how long to wait is listened to, a day at most. */
function nextAttempt(receipt: Receipt & { readonly ok: false }, attempts: number, now: Date): Date | undefined {
  const pause = PAUSES_S[attempts - 1];
  if (!receipt.again || pause === undefined) return undefined;
  const seconds = Math.min(Math.max(pause, receipt.afterSeconds ?? 0), MAX_PAUSE_S);
  return new Date(now.getTime() + seconds * 1_000);
}
