import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../failure.ts";

const root = join(import.meta.dirname, "../../../..");
/** Where the build puts it, and where a package of the product has it. */
const BUILT = [join(root, "sensor/target/release/bulwark-sensor"), join(root, "bin/bulwark-sensor")];

/** Where an installed sensor lives. */
export const INSTALLED = {
  program: "/usr/local/bin/bulwark-sensor",
  state: "/var/lib/bulwark-sensor",
  unit: "/etc/systemd/system/bulwark-sensor.service",
  log: "/var/log/bulwark-sensor.log",
  pid: "/run/bulwark-sensor.pid",
} as const;

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

/** Whether systemd runs this machine (systemd, "sd_booted"). */
export function hasSystemd(): boolean {
  return existsSync("/run/systemd/system");
}

/** The unit of the sensor. It may use a little of the node, and systemd holds it to that. */
export function unitText(program: string, state: string): string {
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
