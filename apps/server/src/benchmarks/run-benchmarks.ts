import type { GatheredFacts } from "@bulwark/benchmark/benchmark";
import {
  announce,
  type BenchmarkScope,
  dueBenchmarkSchedules,
  endExceptions,
  expireTargets,
  failTarget,
  findGather,
  getBenchmarkTarget,
  listTenants,
  markStale,
  newestFacts,
  newestTarget,
  ranBenchmarkSchedule,
  type Store,
  stalePlaces,
  type TenantQueries,
  unmarkStale,
  waitingClusters,
} from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import type { NodeFacts, OrderResult } from "../gateway/gen/wire-types.ts";
import type { ConnectedNode } from "../gateway/node-stream.ts";
import { nextTime } from "../schedules/next-time.ts";
import { endSilentFixes, settleFixes } from "./fixes.ts";
import { gatheredFacts } from "./gathered-facts.ts";
import { judgeCluster, judgeNode } from "./judge-target.ts";
import { startRun } from "./start-run.ts";

const MAX_TENANTS = 10_000;
/** Places that are judged again in one transaction. */
const JUDGED_AGAIN = 200;
/** Judges clusters whose turn it is. */
export async function judgeWaiting(db: TenantQueries, now: Date): Promise<void> {
  for (const target of await waitingClusters(db)) {
    await judgeCluster(db, target, now);
    await announce(db, { topic: "benchmarks", id: target.runId });
  }
}

/** Keeps what a node's sensor gathered, judged. Facts that nobody waits for any more are left out. */
export async function onFacts(db: TenantQueries, node: ConnectedNode, facts: NodeFacts, now: Date): Promise<void> {
  const target = await findGather(db, node.id, facts.orderId);
  if (target === undefined) return;
  const { wallUs, cpuUs } = facts;
  await judgeNode(db, target, node.id, { facts: gatheredFacts(facts), wallUs, cpuUs, now });
  await settleFixes(db, target.runId, node.tenantId, now);
  await announce(db, { topic: "benchmarks", id: target.runId });
}

/** A sensor's word on an order to gather facts, which comes after the facts. @returns whether it was such an order */
export async function onGathered(
  db: TenantQueries,
  node: ConnectedNode,
  { orderId, detail }: Pick<OrderResult, "orderId" | "detail">,
  now: Date,
): Promise<boolean> {
  // One that was judged is not waited for any more: whatever comes now came without facts.
  const runId = await failTarget(db, orderId, node.id, { detail: detail.slice(0, 1_000), now });
  if (runId === undefined) return false;
  await settleFixes(db, runId, node.tenantId, now);
  await announce(db, { topic: "benchmarks", id: runId });
  return true;
}

/** What is known of the places of a scope is to be judged anew. */
export async function markScope(db: TenantQueries, { scope, scopeId }: BenchmarkScope): Promise<void> {
  const place =
    scope === "node"
      ? { nodeId: scopeId }
      : scope === "tenant"
        ? {}
        : { clusterId: scopeId, clusters: scopeId === null };
  await markStale(db, place);
}

/** Judges places again by what is known of them: an exception or a tuning counts for them. */
export async function judgeStale(db: TenantQueries, now: Date, limit: number): Promise<void> {
  for (const place of await stalePlaces(db, limit)) {
    const { nodeId, clusterId } = place;
    if (nodeId !== null) {
      const known = await newestFacts(db, nodeId);
      if (known !== undefined) await judgeNode(db, known, nodeId, { facts: known.facts as GatheredFacts, now });
    }
    if (clusterId !== null) {
      const known = await newestTarget(db, { clusterId });
      if (known !== undefined) await judgeCluster(db, { ...known, clusterId }, now);
    }
    await unmarkStale(db, place);
  }
}

interface Deps {
  readonly store: Store;
  readonly clock: () => Date;
  readonly log?: FastifyBaseLogger;
}

/** What is due each minute: schedules, clusters, and targets and fixes that were not heard of in time. */
export async function runBenchmarks({ store, clock }: Deps): Promise<void> {
  for (const { id: tenantId } of await listTenants(store, { limit: MAX_TENANTS })) {
    const now = clock();
    await store.tenant(tenantId, async (db) => {
      for (const { id, name, cron, timeZone, profile } of await dueBenchmarkSchedules(db, now)) {
        await startRun(db, { profile, cause: "schedule", createdBy: name }, now);
        await ranBenchmarkSchedule(db, id, { at: now, nextAt: nextTime(cron, timeZone, now) });
      }
    });
    await store.tenant(tenantId, async (db) => {
      // Nobody does anything when an exception ends by itself.
      for (const scope of await endExceptions(db, now)) await markScope(db, scope);
      await judgeStale(db, now, JUDGED_AGAIN);
    });
    await store.tenant(tenantId, async (db) => {
      await judgeWaiting(db, now);
      for (const runId of await expireTargets(db, now)) {
        await settleFixes(db, runId, tenantId, now);
        await announce(db, { topic: "benchmarks", id: runId });
      }
      await endSilentFixes(db, now);
    });
  }
}

/** Whether a target may be looked at. */
export async function targetOf(
  db: TenantQueries,
  place: { targetId?: number | undefined; nodeId?: number | undefined; clusterId?: number | undefined },
) {
  return place.targetId === undefined ? newestTarget(db, place) : getBenchmarkTarget(db, place.targetId);
}
