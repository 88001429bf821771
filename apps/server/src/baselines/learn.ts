import { createHash } from "node:crypto";
import { type FactsAnswer, podOf, traitsOf } from "@bulwark/kubernetes";
import {
  type Baseline,
  getCluster,
  keepSighting,
  type LearnablePod,
  listBaselines,
  listTenants,
  moveBaseline,
  podsToLearn,
  type Store,
} from "@bulwark/store";
import type { FastifyBaseLogger } from "fastify";
import { addFacts, candidatesOf, requestOf, type Trial, tryCandidates } from "./candidates.ts";
import { MAX_DOUBTS, readDoubts, workloadOf } from "./doubts.ts";
import { createTally } from "./tally.ts";

/** Kinds of values beside those of pods: names of policies that pods break. */
export const BROKEN = "broken-policy";
const MAX_TENANTS = 10_000;
const MAX_BASELINES = 500;
/** Pods of one query: each of them may have a megabyte. */
const PAGE = 200;
/** Pods are counted anew so often; in between those that changed are looked at. */
const COUNT_EVERY_MS = 10 * 60_000;
/** Counting takes half a millisecond for a pod (measured with three containers each): it is to take a twentieth of the time at most. */
const SPARING_MS_PER_POD = 10;
/** What came while the last look was under way, or by another server's clock. */
const OVERLAP_MS = 30_000;
/** Pods of one workload are alike: what is known of so many sorts is not worked out again within a look. */
const MAX_SORTS = 5_000;

export interface LearnDeps {
  readonly store: Store;
  readonly clock: () => Date;
  readonly log: Pick<FastifyBaseLogger, "warn">;
}

/** Looks at all that learns, and ends what learned for long enough. */
export async function learnBaselines(deps: LearnDeps): Promise<void> {
  for (const { id: tenantId } of await listTenants(deps.store, { limit: MAX_TENANTS })) {
    await each(deps, tenantId, undefined, (baseline) => lookOrEnd(deps, tenantId, baseline));
  }
}

/** Looks at what changed in a cluster just now: pods that live for seconds are seen then or never. Nothing is counted, which may take long. */
export async function learnOfCluster(deps: LearnDeps, tenantId: number, clusterId: number): Promise<void> {
  await each(deps, tenantId, clusterId, async (baseline) => {
    if (baseline.lookedAt !== null) await look(deps, tenantId, baseline, false);
  });
}

async function each(
  deps: LearnDeps,
  tenantId: number,
  clusterId: number | undefined,
  work: (baseline: Baseline) => Promise<unknown>,
): Promise<void> {
  const filter = { states: ["learning" as const], clusterId, limit: MAX_BASELINES };
  for (const baseline of await deps.store.tenant(tenantId, (db) => listBaselines(db, filter))) {
    // What is wrong with one keeps no other from learning.
    await work(baseline).catch((err) => deps.log.warn({ err, baseline: baseline.id }, "a baseline could not learn"));
  }
}

async function lookOrEnd(deps: LearnDeps, tenantId: number, baseline: Baseline): Promise<void> {
  const now = deps.clock();
  const isOver = Date.parse(baseline.learnUntil) <= now.getTime();
  const sinceCount = now.getTime() - Date.parse(baseline.countedAt ?? baseline.startedAt);
  const isDue = sinceCount >= Math.max(COUNT_EVERY_MS, baseline.pods * SPARING_MS_PER_POD);
  await look(deps, tenantId, baseline, isOver || isDue || baseline.countedAt === null);
  if (!isOver) return;
  const move = { from: ["learning" as const], to: "proposed" as const, by: "", now };
  await deps.store.tenant(tenantId, (db) => moveBaseline(db, baseline.id, move));
}

/**
 * Looks at the pods of a baseline once, and keeps what they are. What raised an alert that nobody allowed, and what break-glass let in, is
 * left out, and what was learned of it before is forgotten.
 *
 * @param whole at all pods, and counts them; or at those that changed since the last look
 */
export async function look(
  { store, clock }: Pick<LearnDeps, "store" | "clock">,
  tenantId: number,
  baseline: Baseline,
  whole: boolean,
): Promise<boolean> {
  const at = clock();
  const since = whole || baseline.lookedAt === null ? null : new Date(Date.parse(baseline.lookedAt) - OVERLAP_MS);
  const { doubts, candidates, cluster } = await store.tenant(tenantId, async (db) => ({
    doubts: await readDoubts(db, baseline),
    candidates: await candidatesOf(db, baseline.clusterId),
    cluster: await getCluster(db, baseline.clusterId, at),
  }));
  const tally = createTally();
  const keep = (problem: string) => {
    const counted = since === null && problem === "" ? tally.counted() : null;
    return store.tenant(tenantId, (db) => keepSighting(db, baseline.id, { ...tally.seen(), counted, problem, at }));
  };
  if (doubts.isTooMany) return keep(`more than ${MAX_DOUBTS} alerts of this cluster are open: look at them first`);
  for (const workload of doubts.workloads) tally.doubt(workload);
  const facts = new Map<string, FactsAnswer["namespace"]>();
  const of = {
    id: baseline.clusterId,
    uid: String(baseline.clusterId),
    name: baseline.cluster,
    grade: cluster?.grade ?? "",
  };
  const sortsOf = sorted(tryCandidates(candidates, of, facts));
  for (let after: number | undefined = 0; after !== undefined; ) {
    const from: number = after;
    const { pods, last } = await store.tenant(tenantId, async (db) => {
      const page = await podsToLearn(db, baseline, { after: from, since, limit: PAGE });
      const namespaces = page.pods.map(({ namespace }) => namespace);
      await addFacts(db, baseline.clusterId, namespaces, facts);
      return page;
    });
    for (const pod of pods) {
      if (doubts.isDoubted(pod)) tally.leave(workloadOf(pod));
      else tally.add(workloadOf(pod), sortsOf(pod));
    }
    after = last;
  }
  return keep("");
}

/** What a pod is, worked out once for those that are alike. */
function sorted(trial: Trial): (pod: LearnablePod) => readonly { readonly kind: string; readonly value: string }[] {
  const known = new Map<string, readonly { readonly kind: string; readonly value: string }[]>();
  return (learnable) => {
    const key = sortOf(learnable);
    const before = known.get(key);
    if (before !== undefined) return before;
    const pod = podOf(requestOf(learnable));
    const broken = trial.broken(learnable).map((value) => ({ kind: BROKEN, value }));
    const found = [...(pod === undefined ? [] : traitsOf(pod)), ...broken];
    if (known.size < MAX_SORTS) known.set(key, found);
    return found;
  };
}

/** Names that are made anew for each pod: its node, and the volume with its token. */
function sortOf({ namespace, document }: LearnablePod): string {
  const { metadata, spec } = document as { readonly metadata?: { readonly labels?: unknown }; readonly spec?: object };
  const same = { namespace, labels: metadata?.labels, spec: { ...spec, nodeName: "", hostname: "" } };
  const text = JSON.stringify(same).replace(/kube-api-access-[a-z0-9]{5}/g, "kube-api-access");
  return createHash("sha256").update(text).digest("base64");
}
