import { setTimeout as sleep } from "node:timers/promises";
import { columns } from "../columns.ts";
import { CliError, plain } from "../failure.ts";
import { type ParsedOptions, parseOptions } from "../options.ts";
import { askServer, findAccess } from "../server-client.ts";

const RESPOND_HELP = `Acts on a container or process through its node's sensor, and undoes it. See bulwark login.

Usage: bulwark respond ACTION --alert ID | --container ID [options]
       bulwark respond undo|approve|refuse|show RESPONSE
       bulwark respond list [--limit N] [--format json]

Actions: kill-process, pause, resume, isolate, restore-network, stop, destroy, quarantine, collect-evidence

  --alert ID       acts on what the alert is about
  --container ID   the number that bulwark asset containers shows
  --pid N --start N   of kill-process without an alert: the process, and its start as events tell it
  --path PATH      of quarantine: the file, in the container
  --except CIDR    of isolate: stays reachable; separated by commas
  --reason TEXT    for the audit log
  --no-evidence    do not capture evidence before something is ended
  --no-wait        do not wait for the outcome

Exit status: 0 done, 1 not done or waiting for approval, 2 the server could not be asked.

Examples:
  bulwark respond isolate --alert 17 --reason "reverse shell"
  bulwark respond undo 4
`;

const TABLE = {
  alert: { type: "string" },
  container: { type: "string" },
  pid: { type: "string" },
  start: { type: "string" },
  path: { type: "string" },
  except: { type: "string" },
  reason: { type: "string" },
  limit: { type: "string" },
  format: { type: "string" },
  "no-evidence": { type: "boolean" },
  "no-wait": { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;
const NOT_DONE_EXIT = 1;
const WAIT_MS = 60_000;
const ASK_EVERY_MS = 300;
const STEPS = ["undo", "approve", "refuse"];

interface Response {
  readonly id: number;
  readonly action: string;
  readonly state: string;
  readonly detail: string;
  readonly containerName: string;
  readonly hostname: string;
  readonly askedBy: string;
  readonly createdAt: string;
}

/** `bulwark respond`: see RESPOND_HELP. */
export async function respondCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions("respond", args, TABLE, ["table", "json"]);
  const [action, id, ...rest] = options.positionals;
  if (options.flags.has("help") || action === undefined) {
    process.stdout.write(RESPOND_HELP);
    return 0;
  }
  if (rest.length > 0) throw usage(`"${options.positionals.join(" ")}" is nothing it can do`);
  if (action === "list" && id === undefined) return list(options);
  if (id !== undefined) {
    if (!/^\d+$/.test(id)) throw usage(`"${id}" is no response`);
    if (action === "show") return told(await askServer<Response>(findAccess(), "GET", `/responses/${id}`));
    if (!STEPS.includes(action)) throw usage(`"${action}" takes no response`);
    return outcome(await askServer<Response>(findAccess(), "POST", `/responses/${id}/${action}`), options);
  }
  return outcome(await askServer<Response>(findAccess(), "POST", "/responses", await bodyOf(action, options)), options);
}

async function bodyOf(action: string, { text, flags }: ParsedOptions): Promise<object> {
  const { alert, container, pid, start, path, except, reason } = text;
  if ((alert === undefined) === (container === undefined)) throw usage("it takes --alert or --container");
  const parameters = {
    ...(pid === undefined ? {} : { pid: Number(pid), startUs: Number(start ?? 0) }),
    ...(path === undefined ? {} : { path }),
    ...(except === undefined ? {} : { except: except.split(",") }),
  };
  return {
    action,
    ...(alert === undefined ? await placeOf(container ?? "") : { alertId: Number(alert) }),
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
    ...(reason === undefined ? {} : { reason }),
    ...(flags.has("no-evidence") ? { evidence: false } : {}),
  };
}

async function placeOf(id: string): Promise<object> {
  if (!/^\d+$/.test(id)) throw usage(`"${id}" is no number of a container`);
  const found = await askServer<{ nodeId: number; runtimeId: string }>(findAccess(), "GET", `/containers/${id}`);
  return { nodeId: found.nodeId, container: found.runtimeId };
}

/** Waits for what the node says; a response that waits for a person is told as such. */
async function outcome(asked: Response, { flags }: ParsedOptions): Promise<number> {
  if (flags.has("no-wait")) return told(asked);
  const until = Date.now() + WAIT_MS;
  let seen = asked;
  while ((seen.state === "queued" || seen.state === "sent") && Date.now() < until) {
    await sleep(ASK_EVERY_MS);
    seen = await askServer<Response>(findAccess(), "GET", `/responses/${asked.id}`);
  }
  return told(seen);
}

function told({ id, action, state, detail }: Response): number {
  const next = state === "waiting" ? "somebody else has to approve it: bulwark respond approve" : detail;
  process.stdout.write(plain(`response ${id}: ${action} is ${state}${next === "" ? "" : `: ${next}`}\n`));
  return state === "done" || state === "unchanged" ? 0 : NOT_DONE_EXIT;
}

async function list({ text }: ParsedOptions): Promise<number> {
  const path = `/responses?limit=${encodeURIComponent(text.limit ?? "50")}`;
  const { items } = await askServer<{ items: readonly Response[] }>(findAccess(), "GET", path);
  if (text.format === "json") process.stdout.write(`${JSON.stringify(items, null, 2)}\n`);
  else {
    const cells = items.map((each) => [
      ...[String(each.id), each.action, each.containerName || each.hostname, each.state, each.askedBy],
      each.createdAt.slice(0, 19),
    ]);
    const lines =
      cells.length === 0
        ? ["Nothing was done yet."]
        : columns(cells, ["ID", "ACTION", "WHERE", "STATE", "ASKED BY", "AT"]);
    process.stdout.write(plain(`${lines.join("\n")}\n`));
  }
  return 0;
}

function usage(what: string): CliError {
  return new CliError("USAGE", `respond: ${what}`, "see bulwark respond --help");
}
