import { execFileSync, spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type SensorPlaces, unitText, usesSystemd } from "./place.ts";

const UNIT = "bulwark-sensor.service";
const ENDS_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 100;

/** Starts the installed sensor: as a unit where systemd runs the machine, else as a process of its own. */
export function startService(places: SensorPlaces): "unit" | "process" {
  if (usesSystemd(places)) {
    writeFileSync(places.unit, unitText(places));
    systemctl("daemon-reload");
    systemctl("enable", "--now", UNIT);
    return "unit";
  }
  for (const file of [places.log, places.pid]) mkdirSync(dirname(file), { recursive: true });
  const log = openSync(places.log, "a", 0o600);
  const words = ["run", "--state", places.state];
  const child = spawn(places.program, words, { detached: true, stdio: ["ignore", log, log] });
  child.unref();
  closeSync(log);
  writeFileSync(places.pid, `${child.pid}\n`);
  return "process";
}

/** Ends it and waits until it is gone. */
export async function stopService(places: SensorPlaces): Promise<void> {
  if (usesSystemd(places) && existsSync(places.unit)) {
    systemctl("disable", "--now", UNIT);
    rmSync(places.unit, { force: true });
    systemctl("daemon-reload");
  }
  const pid = runningProcess(places);
  if (pid === undefined) return;
  process.kill(pid, "SIGTERM");
  const until = Date.now() + ENDS_WITHIN_MS;
  while (runningProcess(places) !== undefined && Date.now() < until) await sleep(LOOK_EVERY_MS);
  if (runningProcess(places) !== undefined) process.kill(pid, "SIGKILL");
  rmSync(places.pid, { force: true });
}

/** How the sensor runs, as a sentence; undefined when it does not. */
export function running(places: SensorPlaces): string | undefined {
  if (usesSystemd(places)) {
    const { status } = spawnSync("systemctl", ["is-active", "--quiet", UNIT], { stdio: "ignore" });
    return status === 0 ? `The sensor runs as the unit ${UNIT}` : undefined;
  }
  const pid = runningProcess(places);
  return pid === undefined ? undefined : `The sensor runs as process ${pid}`;
}

/** The sensor that was started as a process of its own: a number that another program has by now does not count. */
function runningProcess({ pid: file, program }: SensorPlaces): number | undefined {
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, "utf8"));
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words[0] === program ? pid : undefined;
  } catch {
    return undefined;
  }
}

function systemctl(...args: readonly string[]): void {
  execFileSync("systemctl", args, { stdio: ["ignore", "ignore", "inherit"] });
}
