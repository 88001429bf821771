import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { CliError, plain } from "../failure.ts";
import { type ParsedOptions, parseOptions } from "../options.ts";
import { builtSensor, isEnrolled, sensorPlaces } from "../sensor/place.ts";
import { running, startService, stopService } from "../sensor/service.ts";
import { askServer, findAccess } from "../server-client.ts";

const SENSOR_HELP = `Watches this node, or makes a token with which others enrol. See bulwark login.

Usage: bulwark sensor install [--gateway HOST:PORT] [--token TOKEN] [--program FILE]
       bulwark sensor uninstall|status|doctor
       bulwark sensor token [--uses N] [--hours N]

  --gateway HOST:PORT   where the sensor connects (default: the host of the server, port 9443)
  --token TOKEN         to enrol with (default: one that is made through the API, which only administrators can)
  --program FILE        the sensor's program (default: the one that make sensor built)
  --prefix DIR          put everything below DIR, and start it as a process

install copies the program to /usr/local/bin, enrols the node for a certificate of its own, which is kept in
/var/lib/bulwark-sensor, and starts a systemd unit, or a process where there is no systemd. doctor says what this kernel lets
the sensor see and block.

Examples:
  bulwark sensor install
  bulwark sensor token --uses 100 --hours 2
  bulwark sensor install --gateway bulwark.example.com:9443 --token …
`;

const TABLE = {
  gateway: { type: "string" },
  token: { type: "string" },
  program: { type: "string" },
  prefix: { type: "string" },
  uses: { type: "string" },
  hours: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;
const GATEWAY_PORT = 9_443;
const NOT_RUNNING_EXIT = 1;

/** `bulwark sensor`: see SENSOR_HELP. */
export async function sensorCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions("sensor", args, TABLE);
  const [action, ...rest] = options.positionals;
  if (options.flags.has("help") || action === undefined) {
    process.stdout.write(SENSOR_HELP);
    return 0;
  }
  const work = { install, uninstall, status, doctor, token }[action];
  if (work === undefined || rest.length > 0) {
    throw new CliError(
      "USAGE",
      `sensor: "${options.positionals.join(" ")}" is nothing it can do`,
      "see bulwark sensor --help",
    );
  }
  return work(options);
}

async function install({ text }: ParsedOptions): Promise<number> {
  checkRoot();
  const places = sensorPlaces(text.prefix ?? "/");
  const program = builtSensor(text.program);
  const gateway = text.gateway ?? `${new URL(findAccess().url).hostname}:${GATEWAY_PORT}`;
  await stopService(places);
  mkdirSync(dirname(places.program), { recursive: true });
  // Renamed into place: a program that runs cannot be written over.
  copyFileSync(program, `${places.program}.new`);
  renameSync(`${places.program}.new`, places.program);
  mkdirSync(places.state, { recursive: true, mode: 0o700 });
  // A node that has its certificate keeps it, unless it is given to another server.
  if (text.token !== undefined || !isEnrolled(places, `https://${gateway}`)) {
    const token = text.token ?? (await newToken("1", "1"));
    run(places.program, ["enroll", "--force", "--server", `https://${gateway}`, "--state", places.state], token);
  }
  const how = startService(places);
  const where = how === "unit" ? "systemctl status bulwark-sensor tells more" : `its log is ${places.log}`;
  process.stdout.write(`The sensor watches ${hostname()} and connects to ${gateway}; ${where}\n`);
  return 0;
}

async function uninstall({ text }: ParsedOptions): Promise<number> {
  checkRoot();
  const places = sensorPlaces(text.prefix ?? "/");
  await stopService(places);
  rmSync(places.program, { force: true });
  rmSync(places.state, { recursive: true, force: true });
  process.stdout.write("The sensor is gone; remove the node in the console too, if it does not come back\n");
  return 0;
}

async function status({ text }: ParsedOptions): Promise<number> {
  const said = running(sensorPlaces(text.prefix ?? "/"));
  process.stdout.write(`${said ?? "No sensor runs that bulwark sensor install started"}\n`);
  return said === undefined ? NOT_RUNNING_EXIT : 0;
}

async function doctor({ text }: ParsedOptions): Promise<number> {
  run(builtSensor(text.program), ["doctor"]);
  return 0;
}

async function token({ text }: ParsedOptions): Promise<number> {
  process.stdout.write(plain(`${await newToken(text.uses ?? "1", text.hours ?? "24")}\n`));
  return 0;
}

async function newToken(uses: string, hours: string): Promise<string> {
  const body = { name: `bulwark sensor on ${hostname()}`, uses: Number(uses), hours: Number(hours) };
  const made = await askServer<{ token: string }>(findAccess(), "POST", "/enrolment-tokens", body);
  return made.token;
}

function run(program: string, args: readonly string[], token = ""): void {
  try {
    // Not among the words, which everybody on the machine can read.
    const env = { ...process.env, BULWARK_ENROLMENT_TOKEN: token };
    execFileSync(program, args, { stdio: ["ignore", "inherit", "inherit"], env });
  } catch (cause) {
    throw new CliError("SENSOR_FAILED", `bulwark-sensor ${args[0]} failed`, "see what it says above", cause);
  }
}

function checkRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new CliError("USAGE", "sensor: only root can watch a node", "run it with sudo");
}
