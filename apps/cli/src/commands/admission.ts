import { ADMISSION_HELP } from "../admission-help.ts";
import { clusterId } from "../clusters.ts";
import { columns } from "../columns.ts";
import { CliError, plain } from "../failure.ts";
import { type ParsedOptions, parseOptions } from "../options.ts";
import { askServer, findAccess } from "../server-client.ts";

const TABLE = {
  verdict: { type: "string" },
  policy: { type: "string" },
  namespace: { type: "string" },
  limit: { type: "string" },
  format: { type: "string" },
  reason: { type: "string" },
  until: { type: "string" },
  rule: { type: "string" },
  object: { type: "string" },
  image: { type: "string" },
  cluster: { type: "string" },
  minutes: { type: "string" },
  user: { type: "string" },
  "pin-digests": { type: "string" },
  "default-seccomp": { type: "string" },
  "withhold-tokens": { type: "string" },
  "would-deny": { type: "boolean" },
  "allow-unknown": { type: "boolean" },
  "passes-brake": { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

type Action = (name: string, options: ParsedOptions) => Promise<number>;

const ACTIONS: Readonly<Record<string, { readonly takes: string; readonly run: Action }>> = {
  decisions: { takes: "", run: (_name, options) => decisions(options) },
  brake: { takes: "CVE, package URL or digest", run: brake },
  brakes: { takes: "", run: (_name, options) => table("/admission/brakes", BRAKES, options) },
  release: { takes: "ID", run: (id) => step(`/admission/brakes/${idOf(id)}/release`, "POST", "the brake is released") },
  except: { takes: "POLICY", run: except },
  exceptions: { takes: "", run: (_name, options) => table("/admission/exceptions", EXCEPTIONS, options) },
  approve: {
    takes: "ID",
    run: (id) => step(`/admission/exceptions/${idOf(id)}/approve`, "POST", "the exception counts now"),
  },
  withdraw: { takes: "ID", run: (id) => step(`/admission/exceptions/${idOf(id)}`, "DELETE", "the exception is gone") },
  "break-glass": { takes: "", run: (_name, options) => breakGlass(options) },
  grants: { takes: "", run: (_name, options) => table("/admission/grants", GRANTS, options) },
  end: { takes: "ID", run: (id) => step(`/admission/grants/${idOf(id)}/end`, "POST", "break-glass is over") },
  settings: { takes: "", run: (_name, options) => settings(options) },
};

/** Columns of a list: the head, and the member of each. */
type Shown = readonly (readonly [head: string, member: string])[];
const BRAKES: Shown = [
  ...([
    ["ID", "id"],
    ["KIND", "kind"],
    ["PATTERN", "pattern"],
    ["BY", "createdBy"],
    ["SINCE", "createdAt"],
  ] as const),
  ...([
    ["RELEASED", "releasedAt"],
    ["REASON", "reason"],
  ] as const),
];
const EXCEPTIONS: Shown = [
  ...([
    ["ID", "id"],
    ["POLICY", "policy"],
    ["RULE", "rule"],
    ["NAMESPACE", "namespace"],
    ["OBJECT", "object"],
  ] as const),
  ...([
    ["UNTIL", "until"],
    ["ASKED BY", "askedBy"],
    ["APPROVED BY", "approver"],
    ["REASON", "reason"],
  ] as const),
];
const GRANTS: Shown = [
  ...([
    ["ID", "id"],
    ["NAMESPACE", "namespace"],
    ["USER", "user"],
    ["UNTIL", "until"],
    ["USED", "used"],
  ] as const),
  ...([
    ["BY", "grantedBy"],
    ["ENDED", "endedAt"],
    ["REASON", "reason"],
  ] as const),
];

/** `bulwark admission`: see ADMISSION_HELP. */
export async function admissionCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions("admission", args, TABLE, ["table", "json"]);
  const [verb, name, ...rest] = options.positionals;
  if (options.flags.has("help") || verb === undefined) {
    process.stdout.write(ADMISSION_HELP);
    return 0;
  }
  const action = Object.hasOwn(ACTIONS, verb) ? ACTIONS[verb] : undefined;
  if (action === undefined) throw usage(`"${verb}" is nothing it can do`);
  if ((action.takes === "") !== (name === undefined) || rest.length > 0)
    throw usage(`${verb} takes ${action.takes === "" ? "no name" : `one ${action.takes}`}`);
  return action.run(name ?? "", options);
}

interface Decision {
  readonly lastAt: string;
  readonly count: number;
  readonly verdict: string;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly user: string;
  readonly violations: readonly {
    readonly policy: string;
    readonly rule: string;
    readonly message: string;
    /** off, audit, enforce, or brake. */
    readonly mode: string;
    /** What let it pass all the same; empty for nothing. */
    readonly exception: string;
  }[];
}

async function decisions({ text, flags }: ParsedOptions): Promise<number> {
  const { verdict, policy, namespace, limit = "50" } = text;
  const query = new URLSearchParams({
    limit,
    ...(verdict && { verdict }),
    ...(policy && { policy }),
    ...(namespace && { namespace }),
    ...(flags.has("would-deny") && { wouldDeny: "true" }),
  });
  const { items } = await askServer<{ items: readonly Decision[] }>(
    findAccess(),
    "GET",
    `/admission/decisions?${query}`,
  );
  if (text.format === "json") return say(`${JSON.stringify(items, null, 2)}\n`);
  const isFiltered =
    verdict !== undefined || policy !== undefined || namespace !== undefined || flags.has("would-deny");
  if (items.length === 0) return say(isFiltered ? "No decision is like that.\n" : "Nothing was decided yet.\n");
  const cells = items.map((each) => [
    ...[
      each.lastAt.slice(0, 19),
      String(each.count),
      each.verdict,
      each.namespace,
      `${each.kind} ${each.name}`,
      each.user,
    ],
    rulesOf(each),
  ]);
  return say(`${columns(cells, ["LAST", "TIMES", "VERDICT", "NAMESPACE", "OBJECT", "USER", "POLICIES"]).join("\n")}\n`);
}

/** What denied it; what only watched is counted. Of what was let in by a warning, all that warned. */
function rulesOf({ verdict, violations }: Decision): string {
  const named = (of: Decision["violations"]) => [...new Set(of.map(({ policy, rule }) => `${policy}/${rule}`))];
  const enforced = named(violations.filter(denies));
  if (verdict !== "denied" || enforced.length === 0) return named(violations).join(" ");
  const watching = named(violations.filter((each) => !denies(each))).length;
  return [...enforced, ...(watching === 0 ? [] : [`(${watching} more watch)`])].join(" ");
}

function denies({ mode, exception }: Decision["violations"][number]): boolean {
  return exception === "" && (mode === "enforce" || mode === "brake");
}

async function brake(pattern: string, options: ParsedOptions): Promise<number> {
  const kind = pattern.startsWith("pkg:") ? "package" : /^sha\d+:/.test(pattern) ? "digest" : "flaw";
  const body = { kind, pattern, reason: needed(options, "reason"), denyUnknown: !options.flags.has("allow-unknown") };
  const { id } = await askServer<{ id: number }>(findAccess(), "POST", "/admission/brakes", body);
  return say(`brake ${id} is on for ${pattern}: bulwark admission release ${id} ends it\n`);
}

async function except(policy: string, options: ParsedOptions): Promise<number> {
  const { rule, object, image, cluster } = options.text;
  const body = {
    ...{
      policy,
      namespace: needed(options, "namespace"),
      reason: needed(options, "reason"),
      until: timeOf(needed(options, "until")),
    },
    ...(rule && { rule }),
    ...(object && { object }),
    ...(image && { image }),
    ...(cluster && { cluster: await clusterId(cluster) }),
  };
  const { id } = await askServer<{ id: number }>(findAccess(), "POST", "/admission/exceptions", body);
  return say(`exception ${id} waits: somebody else has to approve it: bulwark admission approve ${id}\n`);
}

async function breakGlass(options: ParsedOptions): Promise<number> {
  const { user, cluster } = options.text;
  const body = {
    ...{
      namespace: needed(options, "namespace"),
      minutes: minutesOf(needed(options, "minutes")),
      reason: needed(options, "reason"),
    },
    passesBrake: options.flags.has("passes-brake"),
    ...(user && { user }),
    ...(cluster && { cluster: await clusterId(cluster) }),
  };
  const made = await askServer<{ id: number; code: string; until: string }>(
    findAccess(),
    "POST",
    "/admission/grants",
    body,
  );
  const how =
    made.code === "" ? `for ${user}` : `for objects with the annotation bulwark.dev/break-glass: ${made.code}`;
  return say(`break-glass ${made.id} holds until ${made.until} ${how}\n`);
}

async function settings({ text }: ParsedOptions): Promise<number> {
  const kept = await askServer<{ mutation: Record<string, boolean>; signature: object }>(
    findAccess(),
    "GET",
    "/admission/settings",
  );
  const names = {
    "pin-digests": "pinDigests",
    "default-seccomp": "defaultSeccomp",
    "withhold-tokens": "withholdTokens",
  } as const;
  const given = Object.entries(names).flatMap(([option, member]) => {
    const word = text[option];
    if (word === undefined) return [];
    if (word !== "on" && word !== "off") throw usage(`--${option} is on or off`);
    return [[member, word === "on"] as const];
  });
  const mutation = { ...kept.mutation, ...Object.fromEntries(given) };
  if (given.length > 0) await askServer(findAccess(), "POST", "/admission/settings", { ...kept, mutation });
  return say(
    Object.entries(names)
      .map(([option, member]) => `${option}: ${mutation[member] === true ? "on" : "off"}\n`)
      .join(""),
  );
}

async function table(path: string, shown: Shown, { text }: ParsedOptions): Promise<number> {
  const query = new URLSearchParams({ limit: text.limit ?? "50" });
  const { items } = await askServer<{ items: readonly Record<string, unknown>[] }>(
    findAccess(),
    "GET",
    `${path}?${query}`,
  );
  if (text.format === "json") return say(`${JSON.stringify(items, null, 2)}\n`);
  if (items.length === 0) return say("There are none.\n");
  const cells = items.map((item) => shown.map(([, member]) => cellOf(item[member])));
  return say(
    `${columns(
      cells,
      shown.map(([head]) => head),
    ).join("\n")}\n`,
  );
}

function cellOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "object" && "name" in value) return String(value.name);
  const text = String(value);
  return /^\d{4}-\d{2}-\d{2}T/.test(text) ? text.slice(0, 19) : text;
}

async function step(path: string, method: "POST" | "DELETE", done: string): Promise<number> {
  await askServer(findAccess(), method, path);
  return say(`${done}\n`);
}

function idOf(text: string): string {
  if (/^\d{1,15}$/.test(text)) return text;
  throw usage(`"${text}" is no number`);
}

function minutesOf(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw usage(`--minutes: "${text}" is no number of minutes`);
}

/** A day without a time is the last one on which it holds, as in waivers. */
function timeOf(text: string): string {
  const time = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T23:59:59Z` : text);
  if (Number.isNaN(time)) throw usage(`"${text}" is no time; write it as 2026-12-31 or 2026-12-31T18:00:00Z`);
  return new Date(time).toISOString();
}

function needed({ text }: ParsedOptions, name: string): string {
  const value = text[name];
  if (value !== undefined && value !== "") return value;
  throw usage(`it needs --${name}`);
}

function say(text: string): number {
  process.stdout.write(plain(text));
  return 0;
}

function usage(what: string): CliError {
  return new CliError("USAGE", `admission: ${what}`, "see bulwark admission --help");
}
