import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { compressed, type DiskLayer, layerOfOneFile, writeDiskLayout } from "./images.ts";
import { runScan } from "./process.ts";
import { type BenchResult, compared, limited, median, smoke } from "./result.ts";
import { debianLayer } from "./scan.ts";

const RUNS = smoke ? 1 : 3;
const HUGE_BYTES = smoke ? 50_000_000 : 5_000_000_000;
/** All scanners may cost this much more than looking for flaws alone. */
const LIMIT = 3;
const PEAK_MIB = 250;
/** Large programs of other platforms' tools are no part of an application. */
const LEFT_OUT = ["@biomejs", "@typescript", "@rolldown", "@bulwark", ".cache", ".vite"];
const FLAWS = ["--scanners", "vuln", "--no-cache"];
const ALL = ["--no-cache"];

/** All scanners beside the search for flaws alone, on Debian with a real application: Node.js and its packages. */
export async function contentBench(work: string, database: string): Promise<readonly BenchResult[]> {
  const layers = [...(await debianLayer(work)), await nodeApplication(work)];
  writeDiskLayout(join(work, "content"), layers);
  const source = `oci:${join(work, "content")}`;
  const cache = join(work, "content-cache");
  const [flaws, all]: [number[], number[]] = [[], []];
  for (let run = 0; run < RUNS; run++) {
    flaws.push((await runScan(cache, database, [...FLAWS, source])).seconds);
    all.push((await runScan(cache, database, [...ALL, source])).seconds);
  }
  const name = "all scanners, Debian with Node.js and its packages";
  await runScan(cache, database, [source]);
  const warm: number[] = [];
  for (let run = 0; run < RUNS; run++) warm.push((await runScan(cache, database, [source])).seconds);
  const results = [
    compared(name, median(all), "s", `${LIMIT} x flaws alone`, LIMIT * median(flaws)),
    compared(name, median(all), "s", "flaws alone", median(flaws)),
    limited("all scanners, warm, whole process", median(warm), "s", 0.4),
  ];
  const layer = await layerOfOneFile(work, HUGE_BYTES);
  writeDiskLayout(join(work, "content-huge"), [layer]);
  const huge = await runScan(cache, database, [...ALL, `oci:${join(work, "content-huge")}`]);
  rmSync(layer.blob);
  return [
    ...results,
    limited(`all scanners, peak memory, ${HUGE_BYTES / 1e6} MB layer`, huge.peakMib, "MiB", PEAK_MIB),
  ];
}

async function nodeApplication(work: string): Promise<DiskLayer> {
  const tar = join(work, "node-application.tar");
  const exclude = LEFT_OUT.map((name) => `--exclude=node_modules/${name}`);
  const root = join(import.meta.dirname, "..");
  execFileSync("tar", ["-C", root, "-cf", tar, ...exclude, "--transform", "s,^,opt/app/,", "node_modules"]);
  return compressed(work, tar);
}
