import { columns } from "../columns.ts";
import { CliError, plain } from "../failure.ts";
import { type ParsedOptions, parseOptions } from "../options.ts";
import { askServer, findAccess } from "../server-client.ts";
import { readTextFile } from "../text-files.ts";

const EXPORT_HELP = `Sends alerts and events to other systems as they come: syslog, webhook, Kafka. See bulwark login.

Usage: bulwark export list [--format json]
       bulwark export add NAME ADDRESS [options]
       bulwark export remove|test NAME

ADDRESS tells the kind: tls:// or tcp:// is syslog, https:// a webhook, kafka:// or kafka+tls:// brokers separated by commas.
add changes the target of this name if there is one; its secret stays for as long as its address does.

  --events              send events too (default: alerts only)
  --types A,B           only events of these types
  --no-alerts           send no alerts
  --record ocsf|native  what a record is (default: ocsf)
  --secret-file FILE    signs webhooks; the password of Kafka (or BULWARK_EXPORT_SECRET)
  --topic NAME          of Kafka
  --username NAME       of Kafka
  --mechanism NAME      of Kafka: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 (the default)
  --ca-file FILE        an authority to trust, PEM
  --allow-private       the receiver may be in a private network
  --off                 keep it and send nothing; what comes meanwhile is not sent later
  --backlog             send also what it did not want, or did not get while it was off

Exit status: 0 done, 1 the test failed or a target fails, 2 the server could not be asked.

Examples:
  bulwark export add siem tls://logs.example.com:6514 --events --types execve,connect,dns
  bulwark export add lake kafka+tls://k1:9093,k2:9093 --topic security --username bulwark --secret-file password
  bulwark export test siem
`;

const TABLE = {
  events: { type: "boolean" },
  types: { type: "string" },
  "no-alerts": { type: "boolean" },
  record: { type: "string" },
  "secret-file": { type: "string" },
  topic: { type: "string" },
  username: { type: "string" },
  mechanism: { type: "string" },
  "ca-file": { type: "string" },
  "allow-private": { type: "boolean" },
  off: { type: "boolean" },
  backlog: { type: "boolean" },
  format: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;
const FAILS_EXIT = 1;
const SECOND_MS = 1_000;
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^(?:tls|tcp):/, "syslog"],
  [/^https?:/, "webhook"],
  [/^kafka(?:\+tls)?:/, "kafka"],
];

interface Target {
  readonly id: number;
  readonly name: string;
  readonly kind: string;
  readonly address: string;
  readonly alerts: boolean;
  readonly events: boolean;
  readonly enabled: boolean;
  readonly state: string;
  readonly problem: string;
  readonly sent: number;
  readonly missed: number;
  readonly waitingSince: string | null;
}

/** `bulwark export`: see EXPORT_HELP. */
export async function exportCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions("export", args, TABLE, ["table", "json"]);
  const [action, name, address, ...rest] = options.positionals;
  if (options.flags.has("help") || action === undefined) {
    process.stdout.write(EXPORT_HELP);
    return 0;
  }
  if (action === "list" && name === undefined) return list(options);
  if (action === "add" && name !== undefined && address !== undefined && rest.length === 0) {
    return add(name, address, options);
  }
  if (name !== undefined && address === undefined && action === "remove") return remove(name);
  if (name !== undefined && address === undefined && action === "test") return test(name);
  throw usage(`"${options.positionals.join(" ")}" is nothing it can do`);
}

async function targets(): Promise<readonly Target[]> {
  return (await askServer<{ items: readonly Target[] }>(findAccess(), "GET", "/exports")).items;
}

async function named(name: string): Promise<Target> {
  const found = (await targets()).find((target) => target.name === name);
  if (found === undefined) throw new CliError("NOT_FOUND", `there is no export ${name}`, "see bulwark export list");
  return found;
}

async function list({ text }: ParsedOptions): Promise<number> {
  const found = await targets();
  const now = Date.now();
  const rows = found.map((target) => [
    ...[target.name, target.kind, whatOf(target), target.enabled ? target.state : "off", String(target.sent)],
    ...[String(target.missed), lagOf(target, now), target.problem],
  ]);
  const heads = ["NAME", "KIND", "WHAT", "STATE", "SENT", "MISSED", "BEHIND", "PROBLEM"];
  const lines = rows.length === 0 ? ["Nothing is sent anywhere."] : columns(rows, heads);
  process.stdout.write(text.format === "json" ? `${JSON.stringify(found, null, 2)}\n` : plain(`${lines.join("\n")}\n`));
  return found.some(({ enabled, state }) => enabled && state === "failing") ? FAILS_EXIT : 0;
}

function whatOf({ alerts, events }: Target): string {
  return [alerts ? "alerts" : "", events ? "events" : ""].filter((each) => each !== "").join(", ");
}

function lagOf({ waitingSince }: Target, now: number): string {
  return waitingSince === null ? "-" : `${Math.max(0, Math.round((now - Date.parse(waitingSince)) / SECOND_MS))} s`;
}

async function add(name: string, address: string, { text, flags }: ParsedOptions): Promise<number> {
  const kind = KINDS.find(([scheme]) => scheme.test(address))?.[1];
  if (kind === undefined) throw usage(`${address} is no address of a kind that it knows`);
  const { topic, username, mechanism, types, record } = text;
  const { "secret-file": secretFile, "ca-file": caFile } = text;
  const secret =
    secretFile === undefined ? process.env.BULWARK_EXPORT_SECRET : await readTextFile(secretFile, "secret");
  const settings = {
    ...(topic === undefined ? {} : { topic }),
    ...(username === undefined ? {} : { username }),
    ...(mechanism === undefined ? {} : { mechanism }),
    ...(caFile === undefined ? {} : { caPem: await readTextFile(caFile, "authority") }),
    ...(flags.has("allow-private") ? { allowPrivate: true } : {}),
  };
  const target = await askServer<Target>(findAccess(), "PUT", "/exports", {
    ...{ name, kind, address, settings, alerts: !flags.has("no-alerts"), events: flags.has("events") },
    ...{ enabled: !flags.has("off"), backlog: flags.has("backlog") },
    ...(types === undefined ? {} : { eventTypes: types.split(",") }),
    ...(record === undefined ? {} : { format: record }),
    ...(secret === undefined || secret === "" ? {} : { secret: secret.trim() }),
  });
  process.stdout.write(plain(`${whatOf(target)} go to ${target.name}; bulwark export test ${target.name} tries it\n`));
  return 0;
}

async function remove(name: string): Promise<number> {
  const { id } = await named(name);
  await askServer(findAccess(), "DELETE", `/exports/${id}`);
  process.stdout.write(plain(`nothing more is sent to ${name}\n`));
  return 0;
}

async function test(name: string): Promise<number> {
  const { id } = await named(name);
  const { ok, problem } = await askServer<{ ok: boolean; problem: string }>(
    findAccess(),
    "POST",
    `/exports/${id}/test`,
  );
  process.stdout.write(plain(ok ? `${name} took a test record\n` : `${name} took nothing: ${problem}\n`));
  return ok ? 0 : FAILS_EXIT;
}

function usage(what: string): CliError {
  return new CliError("USAGE", `export: ${what}`, "see bulwark export --help");
}
