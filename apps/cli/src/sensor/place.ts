import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../failure.ts";

const root = join(import.meta.dirname, "../../../..");
/** Where the build puts it, and where a package of the product has it. */
const BUILT = [join(root, "sensor/target/release/bulwark-sensor"), join(root, "bin/bulwark-sensor")];

/** Where an installed sensor lives. */
export interface SensorPlaces {
  readonly program: string;
  readonly state: string;
  readonly unit: string;
  readonly log: string;
  readonly pid: string;
}

/** @param prefix goes before every path: a root file system that is prepared, or a place to try it out */
export function sensorPlaces(prefix: string): SensorPlaces {
  return {
    program: join(prefix, "/usr/local/bin/bulwark-sensor"),
    state: join(prefix, "/var/lib/bulwark-sensor"),
    unit: join(prefix, "/etc/systemd/system/bulwark-sensor.service"),
    log: join(prefix, "/var/log/bulwark-sensor.log"),
    pid: join(prefix, "/run/bulwark-sensor.pid"),
  };
}

/**
 * The program of the sensor that is to be installed.
 *
 * @throws CliError `NOT_FOUND`
 */
export function builtSensor(given: string | undefined): string {
  const found = (given === undefined ? BUILT : [given]).find((file) => existsSync(file));
  if (found === undefined) {
    throw new CliError(
      "NOT_FOUND",
      "there is no program bulwark-sensor to install",
      "build it with make sensor, or name it with --program FILE",
    );
  }
  accessSync(found, constants.X_OK);
  return found;
}

/** Whether the node has a certificate for this server already. */
export function isEnrolled({ state }: SensorPlaces, server: string): boolean {
  const file = join(state, "server");
  return existsSync(join(state, "node.pem")) && existsSync(file) && readFileSync(file, "utf8").trim() === server;
}

/** Whether systemd runs this machine (systemd, "sd_booted") and the sensor lies where its units look. */
export function usesSystemd({ unit }: SensorPlaces): boolean {
  return existsSync("/run/systemd/system") && unit.startsWith("/etc/");
}

/** The unit of the sensor. It may use a little of the node, and systemd holds it to that. */
export function unitText({ program, state }: SensorPlaces): string {
  return `[Unit]
Description=Bulwark sensor
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=${program} run --state ${state}
Restart=always
RestartSec=2
MemoryMax=64M
CPUQuota=20%
ProtectHome=read-only
NoNewPrivileges=yes

[Install]
WantedBy=multi-user.target
`;
}
