import {
  type BenchmarkFacts,
  checksOf,
  type GatheredFacts,
  type Judgement,
  judge,
  type ParameterValue,
  scoreOf,
  type Tuning,
} from "@bulwark/benchmark/benchmark";
import { listOf } from "@bulwark/model";
import {
  type BenchmarkScope,
  type BenchmarkTuning,
  type Cluster,
  exceptionsInForce,
  getCluster,
  getNode,
  listBenchmarkTunings,
  listContainers,
  type NewBenchmarkResult,
  objectsOfKinds,
  recordComponents,
  settleTarget,
  type TenantQueries,
} from "@bulwark/store";
import { BENCHMARK_KINDS, clusterFacts } from "./cluster-facts.ts";
import { componentsOfCluster, componentsOfNode } from "./components.ts";
import { benchmarkContent } from "./content.ts";

/** Containers of one node that are judged. */
const MAX_CONTAINERS = 2_000;

/** What is being judged. */
interface Judged {
  readonly id: number;
  readonly profile: string;
  readonly place: { readonly nodeId: number | null; readonly clusterId: number | null };
}

/** Judges what a node's sensor gathered, with the containers that are known of it, and keeps what comes of it. */
export async function judgeNode(
  db: TenantQueries,
  target: { readonly id: number; readonly profile: string },
  nodeId: number,
  gathered: { readonly facts: GatheredFacts; readonly wallUs?: number; readonly cpuUs?: number; readonly now: Date },
): Promise<void> {
  const containers = await listContainers(db, { nodeId, running: true, limit: MAX_CONTAINERS });
  const facts: BenchmarkFacts = {
    node: gathered.facts,
    containers: {
      containers: containers.map((each) => ({
        ...each.facts,
        kind: "Container",
        namespace: each.namespace,
        name: each.name,
      })),
    },
  };
  const { wallUs, cpuUs, now } = gathered;
  await settle(db, { ...target, place: { nodeId, clusterId: null } }, facts, {
    facts: gathered.facts,
    wallUs,
    cpuUs,
    now,
  });
  const node = await getNode(db, nodeId);
  const text = (name: string) => String(node?.facts[name] ?? "");
  const os = {
    osId: text("osId"),
    osVersion: text("osVersion"),
    osName: text("osName"),
    kernelRelease: text("kernelRelease"),
  };
  await recordComponents(db, { nodeId, clusterId: null }, componentsOfNode(gathered.facts, os), now);
}

/** Judges what a cluster told of itself. */
export async function judgeCluster(
  db: TenantQueries,
  target: { readonly id: number; readonly profile: string; readonly clusterId: number },
  now: Date,
): Promise<void> {
  const { clusterId } = target;
  const cluster = await getCluster(db, clusterId, now);
  const objects = await objectsOfKinds(db, clusterId, BENCHMARK_KINDS);
  const facts: BenchmarkFacts = { cluster: clusterFacts(objects, cluster === undefined ? [] : toldOf(cluster)) };
  await settle(db, { ...target, place: { nodeId: null, clusterId } }, facts, { now });
  await recordComponents(db, { nodeId: null, clusterId }, componentsOfCluster(cluster?.version ?? "", objects), now);
}

/** Kinds that the cluster tells of whole. What was known of one that its agent may not read any more is kept, and is no fact by now. */
function toldOf({ synced, replicas }: Pick<Cluster, "synced" | "replicas">): readonly string[] {
  const missing = new Set(replicas.flatMap(({ health }) => (health?.leads === true ? listOf(health.missing) : [])));
  return synced.filter((kind) => !missing.has(kind));
}

async function settle(
  db: TenantQueries,
  { id, profile, place }: Judged,
  facts: BenchmarkFacts,
  kept: {
    readonly facts?: unknown;
    readonly wallUs?: number | undefined;
    readonly cpuUs?: number | undefined;
    readonly now: Date;
  },
): Promise<void> {
  const { checks, profiles, byId } = benchmarkContent();
  const chosen = profiles.find((each) => each.id === profile);
  const wanted = chosen === undefined ? checks : checksOf(chosen, checks);
  const tunings = (await listBenchmarkTunings(db)).filter((tuning) => concerns(tuning, place));
  const exceptions = (await exceptionsInForce(db, kept.now)).filter((exception) => concerns(exception, place));
  const tuning = tuningOf(tunings, exceptions, chosen?.parameters ?? {});
  const results = judge(wanted, facts, tuning).map((judgement) =>
    resultOf(judgement, byId.get(judgement.check)!, exceptions),
  );
  const { score, ...counts } = scoreOf(
    results.map((result) => ({
      ...result,
      excepted: result.exceptionId !== null,
      severity: byId.get(result.check)!.severity,
    })),
  );
  await settleTarget(db, id, { ...kept, results, score, counts });
}

function concerns({ scope, scopeId }: BenchmarkScope, { nodeId, clusterId }: Judged["place"]): boolean {
  if (scope === "tenant") return true;
  if (scope === "node") return scopeId === nodeId;
  return clusterId !== null && (scopeId === null || scopeId === clusterId);
}

type Named = BenchmarkScope & { readonly check: string };

/** Narrower places go before wider ones; a namespace leaves out its own objects alone. */
function tuningOf(
  tunings: readonly BenchmarkTuning[],
  exceptions: readonly Named[],
  profile: Readonly<Record<string, Readonly<Record<string, ParameterValue>>>>,
): Tuning {
  const off = new Map<string, string>();
  const parameters = new Map(Object.entries(profile));
  for (const tuning of tunings.filter(({ scope }) => scope !== "namespace")) {
    if (tuning.off) off.set(tuning.check, tuning.reason);
    else off.delete(tuning.check);
    const own = tuning.parameters as Readonly<Record<string, ParameterValue>>;
    parameters.set(tuning.check, { ...parameters.get(tuning.check), ...own });
  }
  const left: readonly Named[] = [...tunings.filter((each) => each.off), ...exceptions].filter(
    ({ scope }) => scope === "namespace",
  );
  const leaveOut: Tuning["leaveOut"] = (check, { kind, namespace, name }) => {
    const inside = kind === "Namespace" || (namespace === "" && kind === "") ? name : namespace;
    return left.some((each) => each.check === check && each.namespace === inside);
  };
  return { off, parameters, leaveOut };
}

function resultOf(
  judgement: Judgement,
  check: { readonly subject: string; readonly severity: string },
  exceptions: readonly (Named & { readonly id: number })[],
): NewBenchmarkResult {
  const exception = exceptions.find((each) => each.check === judgement.check && each.scope !== "namespace");
  return { ...judgement, subject: check.subject, severity: check.severity, exceptionId: exception?.id ?? null };
}
