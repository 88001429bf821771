import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { CliError, plain } from "../failure.ts";
import { type ParsedOptions, parseOptions } from "../options.ts";
import { builtSensor, isEnrolled, sensorPlaces } from "../sensor/place.ts";
import { running, startService, stopService } from "../sensor/service.ts";
import { programs, upgrade, upload } from "../sensor/upgrade.ts";
import { askServer, findAccess } from "../server-client.ts";

const SENSOR_HELP = `Watches this node, or makes a token with which others enrol. See bulwark login.

Usage: bulwark sensor install [--gateway HOST:PORT] [--token TOKEN] [--program FILE]
       bulwark sensor uninstall|status|doctor
       bulwark sensor token [--uses N] [--hours N]
       bulwark sensor upload FILE --version VERSION
       bulwark sensor upgrade NODE… | --all --to VERSION [--wave N] [--continue] [--no-wait]
       bulwark sensor programs

  --gateway HOST:PORT   where the sensor connects (default: the host of the server, port 9443)
  --token TOKEN         to enrol with (default: one that is made through the API, which only administrators can)
  --program FILE        the sensor's program (default: the one that make sensor built)
  --prefix DIR          put everything below DIR, and start it as a process
  --to VERSION          of a program that upload gave the server; nodes are given by their names
  --wave N              upgrade N nodes at a time (default 1); the next follow when all of them have answered
  --continue            go on after a failure
  --no-wait             do not wait for the outcome

install copies the program to /usr/local/bin, enrols the node for a certificate of its own, which is kept in
/var/lib/bulwark-sensor, and starts a systemd unit, or a process where there is no systemd. doctor says what this kernel lets
the sensor see and block. upgrade has nodes fetch the program from their gateway and try it: one that reaches no gateway within
a minute is taken back. Exit status: 0 all upgraded, 1 not all, 2 the server could not be asked.

Examples:
  bulwark sensor install
  bulwark sensor token --uses 100 --hours 2
  bulwark sensor install --gateway bulwark.example.com:9443 --token …
  bulwark sensor upload ./bulwark-sensor --version 0.2.0
  bulwark sensor upgrade --all --to 0.2.0 --wave 10
`;

const TABLE = {
  gateway: { type: "string" },
  token: { type: "string" },
  program: { type: "string" },
  prefix: { type: "string" },
  uses: { type: "string" },
  hours: { type: "string" },
  version: { type: "string" },
  to: { type: "string" },
  wave: { type: "string" },
  all: { type: "boolean" },
  continue: { type: "boolean" },
  "no-wait": { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;
const GATEWAY_PORT = 9_443;
const NOT_RUNNING_EXIT = 1;
/** A secret, a dot, and the SHA-256 of the authority that the node is to trust. */
const WHOLE_TOKEN = /^[^.\s]+\.[0-9a-f]{64}$/;
const TAKES_WORDS: ReadonlySet<string> = new Set(["upload", "upgrade"]);

/** `bulwark sensor`: see SENSOR_HELP. */
export async function sensorCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions("sensor", args, TABLE);
  const [action, ...rest] = options.positionals;
  if (options.flags.has("help") || action === undefined) {
    process.stdout.write(SENSOR_HELP);
    return 0;
  }
  const work = { install, uninstall, status, doctor, token, upload, upgrade, programs }[action];
  if (work === undefined || (rest.length > 0 && !TAKES_WORDS.has(action))) {
    throw new CliError(
      "USAGE",
      `sensor: "${options.positionals.join(" ")}" is nothing it can do`,
      "see bulwark sensor --help",
    );
  }
  return work({ ...options, positionals: rest });
}

async function install({ text }: ParsedOptions): Promise<number> {
  if (text.token !== undefined && !WHOLE_TOKEN.test(text.token.trim()))
    throw new CliError("USAGE", "sensor: the token is not whole", "copy all of what bulwark sensor token printed");
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
