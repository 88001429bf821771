import { spawn } from "node:child_process";
import { join } from "node:path";
import { CodedError } from "@bulwark/model";
import type { TaskContext } from "../jobs/worker.ts";
import { type WatchDeps, watchAdvisories } from "../scans/watch-advisories.ts";

const CLI = join(import.meta.dirname, "../../../cli/src/main.ts");
const SHOWN_CHARACTERS = 2_000;

/**
 * Brings the advisory database of the worker's machine up to date, as `bulwark db update` does, in a process of its own:
 * building it takes more memory than a worker should keep. Its images are found right afterwards.
 */
export function updateAdvisoriesHandler(deps: WatchDeps): (context: TaskContext) => Promise<void> {
  return async ({ signal, progress }) => {
    progress(0, "fetching advisories");
    await runUpdate(signal);
    progress(0.8, "matching the estate");
    await watchAdvisories(deps);
  };
}

function runUpdate(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", CLI, "db", "update", "--quiet"], {
      stdio: ["ignore", "ignore", "pipe"],
      signal,
    });
    let told = "";
    child.stderr.on("data", (chunk: Buffer) => {
      told = `${told}${chunk.toString("utf8")}`.slice(-SHOWN_CHARACTERS);
    });
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) return resolve();
      const next = "check that the feeds can be reached, or bring a database with bulwark db import or pull";
      reject(new CodedError("UPDATE_FAILED", told.trim() || `it ended with status ${status}`, next));
    });
  });
}
