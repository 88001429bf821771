import { setTimeout as sleep } from "node:timers/promises";
import { BENCHMARK_HELP } from "../benchmark-help.ts";
import { columns } from "../columns.ts";
import { CliError, plain } from "../failure.ts";
import { type ParsedOptions, parseOptions } from "../options.ts";
import { askServer, askServerText, findAccess } from "../server-client.ts";

const TABLE = {
  node: { type: "string" },
  cluster: { type: "string" },
  namespace: { type: "string" },
  profile: { type: "string" },
  outcomes: { type: "string" },
  severities: { type: "string" },
  check: { type: "string" },
  reason: { type: "string" },
  until: { type: "string" },
  cron: { type: "string" },
  set: { type: "string", multiple: true },
  format: { type: "string" },
  apply: { type: "boolean" },
  off: { type: "boolean" },
  "no-wait": { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;
const NOT_DONE_EXIT = 1;
const WAIT_MS = 120_000;
const ASK_EVERY_MS = 300;
const PAGE = 500;
const SHOWN = "fail,undetermined";

interface Run {
  readonly id: number;
  readonly finishedAt: string | null;
  readonly targets: number;
}
interface Target {
  readonly name: string;
  readonly state: string;
  readonly detail: string;
  readonly score: number | null;
  readonly counts: Readonly<Record<string, number>>;
}
interface Fix {
  readonly id: number;
  readonly state: string;
  readonly diff: string;
  readonly detail: string;
  readonly restart: string;
}
interface Row {
  readonly [name: string]: unknown;
}

const text = (value: unknown): string => (value === null || value === undefined ? "" : String(value));
const say = (lines: string): void => void process.stdout.write(plain(`${lines}\n`));

/** `bulwark benchmark`: see BENCHMARK_HELP. */
export async function benchmarkCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions("benchmark", args, TABLE, ["table", "json", "csv"]);
  const [name, ...rest] = options.positionals;
  if (options.flags.has("help") || name === undefined) {
    process.stdout.write(BENCHMARK_HELP);
    return 0;
  }
  const actions: Readonly<Record<string, () => Promise<number>>> = {
    run: () => run(options),
    show: () => show(options),
    checks: () => listChecks(options),
    components: () => listFlaws(options),
    fix: () => fix(rest, options),
    except: () => except(rest, options),
    tune: () => tune(demandOne(rest, "a check"), options),
    schedule: () => schedule(demandOne(rest, "a name"), options),
  };
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined) throw usage(`"${name}" is nothing it can do`);
  return action();
}

async function run(options: ParsedOptions): Promise<number> {
  const { node, cluster, profile } = options.text;
  const body = {
    ...(profile === undefined ? {} : { profile }),
    ...(node === undefined ? {} : { nodes: [idOf(node)] }),
    ...(cluster === undefined ? {} : { clusters: [idOf(cluster)] }),
  };
  const made = await askServer<Run>(findAccess(), "POST", "/benchmark-runs", body);
  const look = () =>
    askServer<{ run: Run; targets: readonly Target[] }>(findAccess(), "GET", `/benchmark-runs/${made.id}`);
  const seen = await waitFor(look, ({ run: { finishedAt } }) => finishedAt !== null, options);
  const rows = seen.targets.map(({ name, state, score, counts, detail }) => [
    ...[
      name,
      state,
      score === null ? "" : String(score),
      text(counts.pass),
      text(counts.fail),
      text(counts.undetermined),
    ],
    ...[text(counts.excepted), state === "done" ? "" : detail],
  ]);
  if (options.text.format === "json") process.stdout.write(`${JSON.stringify(seen, null, 2)}\n`);
  else say(columns(rows, ["PLACE", "STATE", "SCORE", "PASS", "FAIL", "UNDETERMINED", "EXCEPTED", ""]).join("\n"));
  const isGood = seen.targets.every(({ state, counts }) => state === "done" && (counts.fail ?? 0) === 0);
  return isGood ? 0 : NOT_DONE_EXIT;
}

async function show(options: ParsedOptions): Promise<number> {
  const { node, cluster, check, outcomes, severities, format } = options.text;
  const query = new URLSearchParams({ outcomes: outcomes ?? SHOWN });
  if (node !== undefined) query.set("nodeId", String(idOf(node)));
  if (cluster !== undefined) query.set("clusterId", String(idOf(cluster)));
  if (check !== undefined) query.set("check", check);
  if (severities !== undefined) query.set("severities", severities);
  if (format === "csv") {
    process.stdout.write(await askServerText(findAccess(), `/benchmark-results.csv?${query}`));
    return 0;
  }
  const rows = await pages(`/benchmark-results?${query}`);
  if (format === "json") process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else if (rows.length === 0) say("No result is of this kind; bulwark benchmark run judges.");
  else {
    const cells = rows.map((row) => [
      text(row.severity),
      text(row.place),
      text(row.check),
      text(row.outcome),
      text(row.evidence),
    ]);
    say(columns(cells, ["SEVERITY", "PLACE", "CHECK", "OUTCOME", "WHY"]).join("\n"));
    if (check !== undefined)
      say(
        rows
          .slice(0, 1)
          .map(({ title, advice }) => `\n${text(title)}\n${text(advice)}`)
          .join(""),
      );
  }
  return rows.some(({ outcome }) => outcome === "fail") ? NOT_DONE_EXIT : 0;
}

async function listChecks({ text: { format } }: ParsedOptions): Promise<number> {
  const { items } = await askServer<{ items: readonly Row[] }>(findAccess(), "GET", "/benchmark-checks");
  if (format === "json") process.stdout.write(`${JSON.stringify(items, null, 2)}\n`);
  else {
    const cells = items.map((row) => [
      text(row.id),
      text(row.severity),
      row.fix === null ? "" : "yes",
      text(row.title),
    ]);
    say(columns(cells, ["CHECK", "SEVERITY", "FIX", "TITLE"]).join("\n"));
  }
  return 0;
}

async function listFlaws({ text: { format } }: ParsedOptions): Promise<number> {
  const rows = await pages("/component-flaws");
  if (format === "json") process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else {
    const flaws = (row: Row) => (row.flaws as readonly { id: string }[]).map(({ id }) => id);
    const cells = rows.map((row) => {
      const ids = flaws(row);
      const what =
        ids.length === 0 ? text(row.why) : `${ids.length}: ${ids.slice(0, 3).join(", ")}${ids.length > 3 ? ", …" : ""}`;
      return [text(row.place), text(row.name), text(row.version) || "unknown", text(row.state), what];
    });
    say(columns(cells, ["PLACE", "COMPONENT", "VERSION", "IS", ""]).join("\n"));
  }
  return 0;
}

async function fix(words: readonly string[], options: ParsedOptions): Promise<number> {
  const [what, id] = words;
  if (what === "undo" || what === "show") {
    const fixId = idOf(id ?? "");
    if (what === "undo") await askServer<Fix>(findAccess(), "POST", `/benchmark-fixes/${fixId}/undo`);
    return toldFix(await settledFix(fixId, options), "undone");
  }
  const { node, reason } = options.text;
  if (node === undefined) throw usage("a fix is of one node: give --node");
  const body = { nodeId: idOf(node), check: demandOne(words, "a check"), ...(reason === undefined ? {} : { reason }) };
  const asked = await askServer<Fix>(findAccess(), "POST", "/benchmark-fixes", body);
  const preview = await settledFix(asked.id, options);
  if (preview.diff !== "") say(preview.diff.trimEnd());
  if (preview.state !== "previewed" || !options.flags.has("apply")) return toldFix(preview, "previewed");
  await askServer<Fix>(findAccess(), "POST", `/benchmark-fixes/${asked.id}/apply`);
  return toldFix(await settledFix(asked.id, options), "applied");
}

function settledFix(id: number, options: ParsedOptions): Promise<Fix> {
  const moving = ["previewing", "applying", "verifying", "undoing"];
  const look = () => askServer<Fix>(findAccess(), "GET", `/benchmark-fixes/${id}`);
  return waitFor(look, ({ state }) => !moving.includes(state), options);
}

function toldFix({ id, state, detail, restart }: Fix, good: string): number {
  const after = state === "applied" && restart !== "" ? `; start ${restart} again for it to count` : "";
  say(`fix ${id} is ${state}${detail === "" ? "" : `: ${detail}`}${after}`);
  return state === good || state === "unchanged" ? 0 : NOT_DONE_EXIT;
}

async function except(words: readonly string[], options: ParsedOptions): Promise<number> {
  const [what, id] = words;
  if (what === "approve" || what === "remove") {
    const path = `/benchmark-exceptions/${idOf(id ?? "")}`;
    if (what === "approve") await askServer(findAccess(), "POST", `${path}/approve`);
    else await askServer(findAccess(), "DELETE", path);
    say(`exception ${id} is ${what}d`);
    return 0;
  }
  const { until, reason } = options.text;
  if (until === undefined || reason === undefined) throw usage("an exception has --until and --reason");
  const body = { check: demandOne(words, "a check"), ...scopeOf(options), until, reason };
  const made = await askServer<{ id: number }>(findAccess(), "POST", "/benchmark-exceptions", body);
  say(`exception ${made.id} waits for somebody else: bulwark benchmark except approve ${made.id}`);
  return 0;
}

async function tune(check: string, options: ParsedOptions): Promise<number> {
  const { reason } = options.text;
  if (reason === undefined) throw usage("a tuning has a --reason");
  const parameters = Object.fromEntries((options.lists.set ?? []).map(parameterOf));
  const body = { check, ...scopeOf(options), reason, off: options.flags.has("off"), parameters };
  const made = await askServer<{ id: number }>(findAccess(), "POST", "/benchmark-tunings", body);
  say(`tuning ${made.id} is in force`);
  return 0;
}

async function schedule(name: string, { text: { cron, profile } }: ParsedOptions): Promise<number> {
  if (cron === undefined) throw usage("a schedule has --cron");
  const body = { name, cron, ...(profile === undefined ? {} : { profile }) };
  const made = await askServer<{ nextAt: string }>(findAccess(), "POST", "/benchmark-schedules", body);
  say(`it runs next at ${made.nextAt}`);
  return 0;
}

function parameterOf(pair: string): readonly [string, unknown] {
  const at = pair.indexOf("=");
  if (at < 1) throw usage(`"${pair}" is no NAME=VALUE`);
  const value = pair.slice(at + 1);
  const isList = value.includes(",") || value === "";
  const read = /^\d+$/.test(value) ? Number(value) : value === "true" || value === "false" ? value === "true" : value;
  return [pair.slice(0, at), isList ? value.split(",").filter((each) => each !== "") : read];
}

function scopeOf({ text: { node, cluster, namespace } }: ParsedOptions): object {
  if (namespace !== undefined)
    return { scope: "namespace", namespace, ...(cluster === undefined ? {} : { scopeId: idOf(cluster) }) };
  if (node !== undefined) return { scope: "node", scopeId: idOf(node) };
  return cluster === undefined ? { scope: "tenant" } : { scope: "cluster", scopeId: idOf(cluster) };
}

/** Asks until it is settled, or for too long. */
async function waitFor<Answer>(
  look: () => Promise<Answer>,
  isSettled: (answer: Answer) => boolean,
  { flags }: ParsedOptions,
): Promise<Answer> {
  const until = Date.now() + WAIT_MS;
  let seen = await look();
  while (!isSettled(seen) && !flags.has("no-wait") && Date.now() < until) {
    await sleep(ASK_EVERY_MS);
    seen = await look();
  }
  return seen;
}

async function pages(path: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let cursor: string | undefined;
  do {
    const query = `limit=${PAGE}${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
    const page = await askServer<{ items: readonly Row[]; next?: string }>(
      findAccess(),
      "GET",
      `${path}${path.includes("?") ? "&" : "?"}${query}`,
    );
    rows.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return rows;
}

function demandOne(words: readonly string[], what: string): string {
  const [first, ...rest] = words;
  if (first === undefined || rest.length > 0) throw usage(`it takes ${what}`);
  return first;
}

function idOf(given: string): number {
  if (!/^\d+$/.test(given)) throw usage(`"${given}" is no number`);
  return Number(given);
}

function usage(what: string): CliError {
  return new CliError("USAGE", `benchmark: ${what}`, "see bulwark benchmark --help");
}
