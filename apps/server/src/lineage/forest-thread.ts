import { parentPort, workerData } from "node:worker_threads";
import { planFixes, simulateMove } from "@bulwark/lineage";
import { openStore, readForest, type Store } from "@bulwark/store";
import type { ForestWork, KeptPlan } from "./forest-work.ts";
import { measureForest } from "./measure-forest.ts";
import { planInputOf } from "./plan-risk.ts";

/** A plan for nearly all risk of a large estate has a step for every repository. */
const SHOWN_STEPS = 500;

interface Given {
  readonly url: string;
  readonly tenantId: number;
  readonly work: ForestWork;
}

const { url, tenantId, work } = workerData as Given;
const store = await openStore(url, { connections: 2 });
try {
  parentPort?.postMessage(await doWork(store));
} finally {
  await store.close();
}

async function doWork(opened: Store): Promise<unknown> {
  if (work.kind === "measure") return measureForest(opened, tenantId, new Date(work.now));
  const { forest: kept, risk } = await readForest(opened, tenantId);
  const input = planInputOf(kept, risk, work.measure);
  if (work.kind === "plan") {
    const plan = planFixes(input, work.goal);
    const steps = plan.steps.slice(0, SHOWN_STEPS).map(({ nodes, group, ...step }) => ({
      ...step,
      nodes: nodes.map((node) => kept.ids[node] ?? -1),
      repositoryId: group < 0 ? null : group,
    }));
    return { ...plan, steps, stepCount: plan.steps.length } satisfies KeptPlan;
  }
  const [from, onto] = [kept.rowOf(work.from), kept.rowOf(work.onto)];
  if (from < 0 || onto < 0) return "unknown";
  const { risks, forest, ofNode } = input;
  return simulateMove(forest, risks, { from, onto, riskPerImage: ofNode[onto] ?? 0 });
}
