import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { LineageStoreRun } from "./lineage-store-worker.ts";
import { watchMemory } from "./memory.ts";
import { runProcess } from "./process.ts";
import { type BenchResult, limited } from "./result.ts";

const FILL_WORKER = join(import.meta.dirname, "lineage-fill-worker.ts");
const STORE_WORKER = join(import.meta.dirname, "lineage-store-worker.ts");
const DISK_GIB = 8;
const MEMORY_MIB = 4_096;

/** The same estate in the database: what the server asks it about bases, and what pushing and deleting costs. */
export async function lineageStoreBench(work: string, size: string, seconds: number): Promise<readonly BenchResult[]> {
  const directory = join(work, `lineage-${size}`);
  mkdirSync(directory);
  // Run by root, PostgreSQL is another user, who has to come through.
  for (const folder of [work, directory]) chmodSync(folder, 0o711);
  try {
    const places = [join(directory, "data"), join(directory, "truth.json")] as const;
    await runProcess(process.execPath, ["--no-warnings", FILL_WORKER, places[0], size, places[1]]);
    const { run, peakMib } = await measure(places);
    const of = `of ${run.images.toLocaleString("en")} images`;
    return [
      limited(`an estate ${of} in the database`, run.diskGib, "GiB", DISK_GIB),
      limited(`full forest, spread and risks ${of} from the database`, run.rebuildMs / 1_000, "s", seconds),
      limited(`a push into an estate ${of}, p95`, run.pushMs, "ms", 20),
      limited(`a delete from an estate ${of}, p95`, run.deleteMs, "ms", 20),
      limited(`what stands on a base, estate ${of}, p95`, run.standingMs, "ms", 300),
      limited(`images, containers and owners behind a vulnerability, estate ${of}, p95`, run.searchMs, "ms", 300),
      limited(`fix plan ${of}, from the database`, run.planMs / 1_000, "s", 10),
      limited(`spread page ${of}, p95`, run.spreadMs, "ms", 500),
      limited("server and database together, peak memory", peakMib, "MiB", MEMORY_MIB),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** In a process of its own, whose memory is that of the server with its database. */
async function measure(places: readonly string[]) {
  const running = promisify(execFile)(process.execPath, ["--no-warnings", STORE_WORKER, ...places]);
  const memory = watchMemory(running.child.pid ?? 0);
  try {
    const { stdout, stderr } = await running;
    process.stderr.write(stderr);
    return { run: JSON.parse(stdout) as LineageStoreRun, peakMib: await memory.stop() };
  } finally {
    await memory.stop();
  }
}
