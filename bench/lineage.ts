import { join } from "node:path";
import { lineageStoreBench } from "./lineage-store.ts";
import type { LineageRun } from "./lineage-worker.ts";
import { runProcess } from "./process.ts";
import { type BenchResult, compared, limited, smoke } from "./result.ts";

const WORKER = join(import.meta.dirname, "lineage-worker.ts");
/** A step of a plan that a person waits for, and memory beside a database on the same machine. */
const PLAN_SECONDS = 10;
const MEMORY_MIB = 1_024;

/** The forest of an estate of 470,000 and of 1,000,000 images: bases, spread and fix plans. */
export async function lineageBench(work: string): Promise<readonly BenchResult[]> {
  const [less, more] = smoke ? ["small", "small"] : ["published", "million"];
  const pure = pureResults(await measure(less!), await measure(more!));
  const stored = await lineageStoreBench(work, less!, 60);
  return [...pure, ...stored, ...(await lineageStoreBench(work, more!, 150))];
}

type Measured = LineageRun & { readonly peakMib: number };

/** The worker fails when the spread is not exactly what the estate was made to be. */
async function measure(size: string): Promise<Measured> {
  const { stdout, peakMib } = await runProcess(process.execPath, ["--no-warnings", WORKER, size], {}, true);
  return { ...(JSON.parse(stdout) as LineageRun), peakMib };
}

function pureResults(published: Measured, million: Measured): readonly BenchResult[] {
  const [less, more] = [published, million].map(({ images }) => images.toLocaleString("en"));
  const perImage = (run: Measured, seconds: number) => (seconds * 1e6) / run.images;
  const growth = (what: string, seconds: (run: Measured) => number) =>
    compared(
      `${what} of ${more} images in memory, per image`,
      perImage(million, seconds(million)),
      "µs",
      `per image of ${less}`,
      perImage(published, seconds(published)),
    );
  const { planSteps, planFactor, choiceShare, choiceImages } = million;
  process.stderr.write(
    `  ${planSteps} fixes clear 60 % of risk, at most ${planFactor.toFixed(2)} times the least; ` +
      `the ten best clear ${(choiceShare * 100).toFixed(1)} % in ${choiceImages.toLocaleString("en")} images\n`,
  );
  return [
    growth("forest", ({ build }) => build),
    growth("spread", ({ spread }) => spread),
    growth("plan", ({ plan }) => plan),
    limited(`plan of ${more} images in memory`, million.plan, "s", PLAN_SECONDS),
    limited(`all of it with ${more} images, peak memory`, million.peakMib, "MiB", MEMORY_MIB),
  ];
}
