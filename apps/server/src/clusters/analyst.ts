import { clustersToAnalyse, listTenants, type Store } from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import { learnOfCluster } from "../baselines/learn.ts";
import { analyseCluster } from "./analyse-cluster.ts";

/** Changes come in bursts: a cluster is looked at when so long has passed since the first of them. */
const AFTER_MS = 1_500;
/** A cluster is looked at again only when so many times as long as it took has passed. */
const SPARING = 10;
const MAX_TENANTS = 10_000;

/** Looks at clusters soon after something of them changed. */
export interface Analyst {
  changed(tenantId: number, clusterId: number): void;
  close(): Promise<void>;
}

export function createAnalyst({
  store,
  clock,
  log,
}: {
  readonly store: Store;
  readonly clock: () => Date;
  readonly log: FastifyBaseLogger;
}): Analyst {
  const waiting = new Map<number, NodeJS.Timeout>();
  const pauses = new Map<number, number>();
  const running = new Set<Promise<void>>();
  let isOpen = true;
  const look = async (tenantId: number, clusterId: number) => {
    waiting.delete(clusterId);
    const began = performance.now();
    await analyseCluster(store, tenantId, clusterId, clock());
    await learnOfCluster({ store, clock, log }, tenantId, clusterId);
    pauses.set(clusterId, Math.max(AFTER_MS, (performance.now() - began) * SPARING));
  };
  return {
    changed(tenantId, clusterId) {
      if (!isOpen || waiting.has(clusterId)) return;
      const begin = () => {
        const work: Promise<void> = look(tenantId, clusterId)
          .catch((error) => log.warn({ err: error, cluster: clusterId }, "a cluster could not be looked at"))
          .finally(() => running.delete(work));
        running.add(work);
      };
      waiting.set(clusterId, setTimeout(begin, pauses.get(clusterId) ?? AFTER_MS).unref());
    },
    async close() {
      isOpen = false;
      for (const timer of waiting.values()) clearTimeout(timer);
      await Promise.all(running);
    },
  };
}

/** Looks at what nobody looked at since it changed, such as clusters whose gateway died. */
export async function analyseLeftClusters({
  store,
  clock,
  log,
}: {
  readonly store: Store;
  readonly clock: () => Date;
  readonly log: FastifyBaseLogger;
}): Promise<void> {
  for (const { id: tenantId } of await listTenants(store, { limit: MAX_TENANTS })) {
    for (const id of await store.tenant(tenantId, clustersToAnalyse)) {
      // What is wrong with one cluster keeps nobody else's from being looked at.
      await analyseCluster(store, tenantId, id, clock()).catch((err) =>
        log.error({ err, cluster: id }, "a cluster could not be looked at"),
      );
    }
  }
}
