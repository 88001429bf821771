import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { debianRootfs } from "../test/support/debian-rootfs.ts";
import {
  applicationLayer,
  compressed,
  type DiskLayer,
  layerOfFiles,
  layerOfOneFile,
  writeDiskLayout,
} from "./images.ts";
import { runProcess, runScan } from "./process.ts";
import { type BenchResult, compared, limited, median, smoke } from "./result.ts";

const MB = 1_000_000;
/** The other scanners have a benchmark of their own. */
const FLAWS = ["--scanners", "vuln"];
const RUNS = smoke ? 1 : 3;
const LAYER_BYTES = (smoke ? 20 : 200) * MB;
const HUGE_BYTES = smoke ? 50 * MB : 5_000 * MB;
const GROWTH = smoke ? [5 * MB, 10 * MB] : [50 * MB, 100 * MB, 200 * MB, 400 * MB];

/** Scanning: cold and warm, a changed layer, the memory of a huge layer, growth with the layer's size. */
export async function scanBench(work: string, database: string): Promise<readonly BenchResult[]> {
  const results: BenchResult[] = [];
  const layers = [
    ...(await debianLayer(work)),
    await layerOfFiles(work, "large", LAYER_BYTES),
    await applicationLayer(work, "one"),
  ];
  writeDiskLayout(join(work, "image"), layers);
  const source = `oci:${join(work, "image")}`;
  const cache = join(work, "cache");
  const cold: number[] = [];
  const gunzip: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    gunzip.push(await gunzipSeconds(layers));
    rmSync(cache, { recursive: true, force: true });
    cold.push((await runScan(cache, database, [...FLAWS, source])).seconds);
  }
  const allowed = 1.3 * median(gunzip) + 0.5;
  const size = `${LAYER_BYTES / MB} MB layer`;
  results.push(
    compared(`cold scan, Debian with a ${size}`, median(cold), "s", "gzip -dc of its layers", median(gunzip)),
  );
  results.push(compared(`cold scan, Debian with a ${size}`, median(cold), "s", "1.3 x gzip -dc + 0.5 s", allowed));
  const warm: number[] = [];
  for (let run = 0; run < RUNS; run++) warm.push((await runScan(cache, database, [...FLAWS, source])).seconds);
  results.push(limited("warm scan, whole process", median(warm), "s", 0.4));
  const changed = [...layers.slice(0, -1), await applicationLayer(work, "two")];
  writeDiskLayout(join(work, "changed"), changed);
  const top = await runScan(cache, database, [...FLAWS, `oci:${join(work, "changed")}`]);
  results.push(compared("scan after the top layer changed", top.seconds, "s", "warm scan", median(warm)));
  return [...results, ...(await hugeLayer(work, database)), ...(await growth(work, database))];
}

/** Debian's root file system as a layer; nothing where it cannot be made. */
export async function debianLayer(work: string): Promise<readonly DiskLayer[]> {
  const rootfs = debianRootfs();
  if (rootfs === undefined) return [];
  writeFileSync(join(work, "debian.tar"), rootfs);
  return [await compressed(work, join(work, "debian.tar"))];
}

async function gunzipSeconds(layers: readonly DiskLayer[]): Promise<number> {
  let seconds = 0;
  for (const { blob } of layers)
    seconds += (await runProcess("sh", ["-c", 'gzip -dc < "$1" > /dev/null', "sh", blob])).seconds;
  return seconds;
}

async function hugeLayer(work: string, database: string): Promise<readonly BenchResult[]> {
  const layer = await layerOfOneFile(work, HUGE_BYTES);
  writeDiskLayout(join(work, "huge"), [layer]);
  const run = await runScan(join(work, "huge-cache"), database, [...FLAWS, `oci:${join(work, "huge")}`]);
  rmSync(layer.blob);
  return [limited(`peak memory, ${HUGE_BYTES / MB} MB layer`, run.peakMib, "MiB", 250)];
}

async function growth(work: string, database: string): Promise<readonly BenchResult[]> {
  const results: BenchResult[] = [];
  let first: number | undefined;
  for (const bytes of GROWTH) {
    const layer = await layerOfFiles(work, `growth-${bytes}`, bytes);
    const directory = join(work, `growth-${bytes}`);
    writeDiskLayout(directory, [layer]);
    const cache = join(work, `cache-${bytes}`);
    mkdirSync(cache);
    await runScan(cache, database, [...FLAWS, `sbom:${emptySbom(work)}`]); // compiles the program, which is no part of the growth
    const { seconds, peakMib } = await runScan(cache, database, [...FLAWS, `oci:${directory}`]);
    const perMb = seconds / (bytes / MB);
    first ??= perMb;
    results.push(
      compared(
        `cold scan of ${bytes / MB} MB (${peakMib.toFixed(0)} MiB), per MB`,
        perMb * 1000,
        "ms",
        `per MB at ${(GROWTH[0] ?? 0) / MB} MB`,
        first * 1000,
      ),
    );
  }
  return results;
}

function emptySbom(work: string): string {
  const file = join(work, "empty.cdx.json");
  if (!existsSync(file))
    writeFileSync(file, JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.6", components: [] }));
  return file;
}
