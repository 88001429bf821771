import { writeFileSync } from "node:fs";
import { columns } from "../columns.ts";
import { CliError, plain } from "../failure.ts";
import { type ParsedOptions, parseOptions } from "../options.ts";
import { askServer, askServerText, findAccess } from "../server-client.ts";

const ALERT_HELP = `Asks a Bulwark server about runtime alerts, and judges them. See bulwark login.

Usage: bulwark alert list [--severity LIST] [--state LIST] [--container ID] [--search TEXT] [--limit N] [--format json]
       bulwark alert show ID [--format json]
       bulwark alert story ID [--format text|json|html] [--output FILE]
       bulwark alert acknowledge|close|reopen ID [--note TEXT]
       bulwark alert allow ID --where PLACE --reason TEXT [--expires YYYY-MM-DD]

PLACE is container, image or everywhere for what a container did; namespace (of the cluster), object, cluster or everywhere for what
an API server was asked, always for who asked it.

Exit status of list: 0 there is none, 1 there are some, 2 the server could not be asked.

Examples:
  bulwark alert list --severity critical,high
  bulwark alert story 17 --format html --output story.html
  bulwark alert allow 17 --where image --reason "nightly backup" --expires 2027-01-31
`;

const TABLE = {
  severity: { type: "string" },
  state: { type: "string" },
  container: { type: "string" },
  search: { type: "string" },
  limit: { type: "string" },
  format: { type: "string" },
  output: { type: "string" },
  note: { type: "string" },
  where: { type: "string" },
  reason: { type: "string" },
  expires: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;
const FOUND_EXIT = 1;
const OF_ONE_ALERT: ReadonlySet<string> = new Set(["show", "story", "allow", "acknowledge", "close", "reopen"]);
const STATES = { acknowledge: "acknowledged", close: "closed", reopen: "open" } as const;

interface Alert {
  readonly id: number;
  readonly rule: string;
  readonly title: string;
  readonly severity: string;
  readonly state: string;
  readonly hostname: string;
  readonly container: string;
  readonly containerName: string;
  readonly image: string;
  readonly count: number;
  readonly blocked: boolean;
  readonly firstAt: string;
  readonly lastAt: string;
}

interface Detail extends Alert {
  readonly tags: readonly string[];
  readonly facts: {
    readonly advice?: string;
    readonly techniques?: readonly { readonly id: string; readonly name: string }[];
    readonly lineage?: readonly {
      readonly pid: number;
      readonly name: string;
      readonly arguments: readonly string[];
    }[];
  };
  readonly history: readonly {
    readonly at: string;
    readonly actor: string;
    readonly action: string;
    readonly detail: string;
  }[];
}

/** `bulwark alert`: see ALERT_HELP. */
export async function alertCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions("alert", args, TABLE);
  const [action, id, ...rest] = options.positionals;
  if (options.flags.has("help") || action === undefined) {
    process.stdout.write(ALERT_HELP);
    return 0;
  }
  if (action === "list" && id === undefined) return list(options);
  if (id !== undefined && /^\d+$/.test(id) && rest.length === 0) {
    if (action === "show") return show(id, options);
    if (action === "story") return story(id, options);
    if (action === "allow") return allow(id, options);
    const state = Object.hasOwn(STATES, action) ? STATES[action as keyof typeof STATES] : undefined;
    if (state !== undefined) return judge(id, state, options);
  }
  const next = "see bulwark alert --help";
  if (OF_ONE_ALERT.has(action)) throw new CliError("USAGE", `alert: ${action} takes the number of one alert`, next);
  throw new CliError("USAGE", `alert: "${options.positionals.join(" ")}" is nothing it can do`, next);
}

async function list({ text }: ParsedOptions): Promise<number> {
  const query = new URLSearchParams({ states: text.state ?? "open,acknowledged", limit: text.limit ?? "50" });
  if (text.severity !== undefined) query.set("severities", text.severity);
  if (text.container !== undefined) query.set("container", text.container);
  if (text.search !== undefined) query.set("text", text.search);
  const { items } = await askServer<{ items: readonly Alert[] }>(findAccess(), "GET", `/alerts?${query}`);
  if (text.format === "json") process.stdout.write(`${JSON.stringify(items, null, 2)}\n`);
  else process.stdout.write(plain(`${listed(items).join("\n")}\n`));
  return items.length === 0 ? 0 : FOUND_EXIT;
}

function listed(items: readonly Alert[]): readonly string[] {
  if (items.length === 0) return ["There are no such alerts."];
  const cells = items.map((alert) => [
    ...[String(alert.id), alert.severity, alert.rule, alert.containerName || alert.hostname],
    ...[
      alert.count > 1 ? `${alert.count} times` : "once",
      alert.blocked ? "blocked" : alert.state,
      alert.lastAt.slice(0, 19),
    ],
  ]);
  return columns(cells, ["ID", "SEVERITY", "RULE", "WHERE", "SEEN", "STATE", "LAST"]);
}

async function show(id: string, { text }: ParsedOptions): Promise<number> {
  const alert = await askServer<Detail>(findAccess(), "GET", `/alerts/${id}`);
  if (text.format === "json") {
    process.stdout.write(`${JSON.stringify(alert, null, 2)}\n`);
    return 0;
  }
  const { facts, history } = alert;
  const where =
    alert.container === ""
      ? alert.hostname
      : `${alert.containerName} (${alert.container.slice(0, 12)}) on ${alert.hostname}`;
  const lines = [
    `${alert.severity.toUpperCase()}  ${alert.rule}${alert.blocked ? "  (blocked)" : ""}`,
    alert.title,
    "",
    `where       ${where}`,
    `image       ${alert.image === "" ? "none" : alert.image}`,
    `seen        ${alert.count} times, ${alert.firstAt} to ${alert.lastAt}`,
    `techniques  ${(facts.techniques ?? []).map((each) => `${each.id} ${each.name}`).join(", ")}`,
    `state       ${alert.state}`,
    "",
    "process, and those above it",
    ...(facts.lineage ?? []).map(
      (each, depth) => `${"  ".repeat(depth + 1)}${each.pid} ${each.arguments.join(" ") || each.name}`,
    ),
    ...(facts.advice === undefined || facts.advice === "" ? [] : ["", `advice      ${facts.advice}`]),
    ...(history.length === 0 ? [] : ["", "history"]),
    ...history.map((each) => `  ${each.at.slice(0, 19)}  ${each.actor}  ${each.action}  ${each.detail}`.trimEnd()),
  ];
  process.stdout.write(plain(`${lines.join("\n")}\n`));
  return 0;
}

async function story(id: string, { text }: ParsedOptions): Promise<number> {
  const format = text.format ?? "text";
  if (!["text", "json", "html"].includes(format)) {
    throw new CliError("USAGE", `alert story: there is no format "${format}"`, "take text, json or html");
  }
  const told = await askServerText(findAccess(), `/alerts/${id}/story?format=${format}`);
  if (text.output === undefined) process.stdout.write(format === "text" ? plain(told) : told);
  else writeFileSync(text.output, told);
  return 0;
}

async function judge(id: string, state: string, { text }: ParsedOptions): Promise<number> {
  const { note } = text;
  await askServer(findAccess(), "PATCH", `/alerts/${id}`, { state, ...(note === undefined ? {} : { note }) });
  process.stdout.write(`alert ${id} is ${state}\n`);
  return 0;
}

async function allow(id: string, { text }: ParsedOptions): Promise<number> {
  const { where, reason, expires } = text;
  if (where === undefined || reason === undefined) {
    throw new CliError("USAGE", "alert allow: it needs --where and --reason", "see bulwark alert --help");
  }
  const until = expires === undefined ? {} : { expiresAt: `${expires}T23:59:59Z` };
  const made = await askServer<{ condition: string }>(findAccess(), "POST", `/alerts/${id}/allow`, {
    where,
    reason,
    ...until,
  });
  process.stdout.write(plain(`allowed from now on: ${made.condition}\n`));
  return 0;
}
