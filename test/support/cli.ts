import { spawn } from "node:child_process";
import { join } from "node:path";
import type { ScanReport } from "@bulwark/model";

export const BULWARK = join(import.meta.dirname, "../../bin/bulwark");

/** How a run of the command ended. */
export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `bulwark` as a user would, in another working directory, with a cache of its own. */
export function bulwark(cache: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(BULWARK, args, {
      cwd: "/",
      env: { ...process.env, BULWARK_CACHE_DIR: cache, BULWARK_DB: "", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output.stderr += text;
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, ...output }));
  });
}

/** Scans and parses the report. */
export async function scanJson(
  cache: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<ScanReport> {
  const { status, stdout, stderr } = await bulwark(cache, ["scan", "--format", "json", ...args], env);
  if (status !== 0 && status !== 1) throw new Error(`bulwark scan ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}
