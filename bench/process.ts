import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const POLL_MS = 10;
const BULWARK = join(import.meta.dirname, "../bin/bulwark");

/** How a whole process ran. */
export interface ProcessRun {
  readonly seconds: number;
  /** Highest resident memory, in MiB (VmHWM of /proc/PID/status). */
  readonly peakMib: number;
  readonly stdout: string;
}

/** Runs a program to its end, output thrown away unless `keep` is set. */
export function runProcess(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  keep = false,
): Promise<ProcessRun> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const stdio = ["ignore", keep ? "pipe" : "ignore", "pipe"] as const;
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: [...stdio] });
    let [stdout, stderr, peakKib] = ["", "", 0];
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const poll = setInterval(() => {
      peakKib = Math.max(peakKib, highWater(child.pid));
    }, POLL_MS);
    child.on("error", reject);
    child.on("close", (status) => {
      clearInterval(poll);
      const seconds = (performance.now() - started) / 1000;
      if (status !== 0 && status !== 1)
        reject(new Error(`${program} ${args.join(" ")} ended with ${status}: ${stderr}`));
      else resolve({ seconds, peakMib: peakKib / 1024, stdout });
    });
  });
}

function highWater(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0; // it ended between two looks
  }
}

/** Runs `bulwark scan` with a cache and a database of its own. */
export function runScan(cache: string, database: string, args: readonly string[]): Promise<ProcessRun> {
  const env = { BULWARK_CACHE_DIR: cache, BULWARK_DB: database };
  return runProcess(BULWARK, ["scan", "--format", "json", "--quiet", ...args], env, true);
}
