import { Worker } from "node:worker_threads";
import type { FixPlan, MoveEffect, PlanGoal } from "@bulwark/lineage";
import type { Store } from "@bulwark/store";
import type { KeptSpread } from "./measure-forest.ts";
import type { PlanMeasure } from "./plan-risk.ts";

/** A plan whose nodes are named by their chains. */
export type KeptPlan = Omit<FixPlan, "steps"> & {
  /** Of all steps; the list holds the first of them. */
  readonly stepCount: number;
  readonly steps: readonly (Omit<FixPlan["steps"][number], "group"> & { readonly repositoryId: number | null })[];
};

/** What is done with a whole forest. */
export type ForestWork =
  | { readonly kind: "measure"; readonly now: number }
  | { readonly kind: "plan"; readonly measure: PlanMeasure; readonly goal: PlanGoal }
  | { readonly kind: "move"; readonly measure: PlanMeasure; readonly from: number; readonly onto: number };

interface Results {
  readonly measure: KeptSpread;
  readonly plan: KeptPlan;
  readonly move: MoveEffect | "unknown";
}

/**
 * Does work over the whole forest of a tenant in a thread of its own: with a million images it takes seconds, in which the
 * server must answer others.
 *
 * @throws Error with what went wrong in the thread
 */
export function workOnForest<Work extends ForestWork>(
  store: Store,
  tenantId: number,
  work: Work,
): Promise<Results[Work["kind"]]> {
  const workerData = { url: store.url, tenantId, work };
  const worker = new Worker(new URL("./forest-thread.ts", import.meta.url), { workerData });
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the thread that works on the forest ended with ${code}`)));
  });
}
