import { execFileSync, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { hasSystemd, INSTALLED, unitText } from "./place.ts";

const ENDS_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 100;

/** Starts the installed sensor: as a unit where systemd runs the machine, else as a process of its own. */
export function startService(): "unit" | "process" {
  if (hasSystemd()) {
    writeFileSync(INSTALLED.unit, unitText(INSTALLED.program, INSTALLED.state));
    systemctl("daemon-reload");
    systemctl("enable", "--now", "bulwark-sensor.service");
    return "unit";
  }
  const log = openSync(INSTALLED.log, "a", 0o600);
  const child = spawn(INSTALLED.program, ["run", "--state", INSTALLED.state], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  child.unref();
  closeSync(log);
  writeFileSync(INSTALLED.pid, `${child.pid}\n`);
  return "process";
}

/** Ends it and waits until it is gone. */
export async function stopService(): Promise<void> {
  if (hasSystemd() && existsSync(INSTALLED.unit)) {
    systemctl("disable", "--now", "bulwark-sensor.service");
    rmSync(INSTALLED.unit, { force: true });
    systemctl("daemon-reload");
  }
  const pid = runningProcess();
  if (pid === undefined) return;
  process.kill(pid, "SIGTERM");
  for (const until = Date.now() + ENDS_WITHIN_MS; runningProcess() !== undefined && Date.now() < until; )
    await sleep(LOOK_EVERY_MS);
  if (runningProcess() !== undefined) process.kill(pid, "SIGKILL");
  rmSync(INSTALLED.pid, { force: true });
}

/** The sensor that was started as a process of its own, if it runs: a number that another program has by now does not count. */
export function runningProcess(): number | undefined {
  if (!existsSync(INSTALLED.pid)) return undefined;
  const pid = Number(readFileSync(INSTALLED.pid, "utf8"));
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words[0] === INSTALLED.program ? pid : undefined;
  } catch {
    return undefined;
  }
}

function systemctl(...args: readonly string[]): void {
  execFileSync("systemctl", args, { stdio: ["ignore", "ignore", "inherit"] });
}
