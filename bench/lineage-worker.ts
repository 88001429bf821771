import { buildForest, planFixes } from "@bulwark/lineage";
import { makeEstate } from "./lineage-data.ts";
import { sizeNamed } from "./lineage-shares.ts";
import { assertTruth, planInputOf, spreadOf } from "./lineage-truth.ts";

/** What the pure part takes for one estate, in seconds. A process of its own, so that its memory can be seen. */
export interface LineageRun {
  readonly images: number;
  readonly nodes: number;
  readonly build: number;
  readonly spread: number;
  /** Six tenths of all risk at the least cost. */
  readonly plan: number;
  readonly planSteps: number;
  readonly planFactor: number;
  /** The ten best fixes. */
  readonly choice: number;
  readonly choiceShare: number;
  readonly choiceImages: number;
}

const size = sizeNamed(process.argv[2] ?? "");
const estate = makeEstate(size);
const [forest, build] = timed(() => buildForest(estate.chains, estate.images));
const [spread, measured] = timed(() => spreadOf(forest, estate));
assertTruth(spread, estate.truth);
const input = planInputOf(forest, estate);
const [plan, planned] = timed(() => planFixes(input, { share: 0.6 }));
const [choice, chosen] = timed(() => planFixes(input, { fixes: 10 }));
const run: LineageRun = {
  ...{ images: size.images, nodes: forest.size, build, spread: measured, plan: planned },
  ...{ planSteps: plan.steps.length, planFactor: plan.bound.factor },
  ...{ choice: chosen, choiceShare: choice.cleared / choice.total, choiceImages: choice.images },
};
console.log(JSON.stringify(run));

function timed<Result>(work: () => Result): readonly [Result, number] {
  const began = performance.now();
  const result = work();
  return [result, (performance.now() - began) / 1_000];
}
