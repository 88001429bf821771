import { spawnSync } from "node:child_process";

/** Whether a program is on the PATH. */
export function hasTool(name: string): boolean {
  return spawnSync("sh", ["-c", `command -v "$1"`, "sh", name]).status === 0;
}

/** Runs a program to its end. Throws with its error output when it fails. */
export function runTool(name: string, args: readonly string[], input = ""): string {
  const done = spawnSync(name, args, { input, encoding: "utf8", maxBuffer: 1 << 28 });
  if (done.status !== 0) throw new Error(`${name} ${args.join(" ")}: ${done.stderr || done.error?.message}`);
  return done.stdout;
}
