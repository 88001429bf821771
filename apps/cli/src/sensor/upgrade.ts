import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { columns } from "../columns.ts";
import { counted } from "../counted.ts";
import { CliError, plain } from "../failure.ts";
import type { ParsedOptions } from "../options.ts";
import { askServer, findAccess } from "../server-client.ts";

const ASK_EVERY_MS = 1_000;
const NOT_ALL_EXIT = 1;
const PAGE = 200;
const SHOWN_DIGITS = 16;

interface Upgrade {
  readonly id: number;
  readonly state: string;
  readonly nodes: readonly {
    readonly hostname: string;
    readonly state: string;
    readonly rolledBack: boolean;
    readonly detail: string;
  }[];
}

interface Program {
  readonly version: string;
  readonly platform: string;
  readonly sha256: string;
  readonly addedBy: string;
  readonly addedAt: string;
}

/** Gives the server a program that nodes can be upgraded to. */
export async function upload({ text, positionals }: ParsedOptions): Promise<number> {
  const [file, ...rest] = positionals;
  if (file === undefined || rest.length > 0 || text.version === undefined) {
    throw usage("upload takes one file and --version");
  }
  const body = { version: text.version, content: contentOf(file) };
  const { version, platform, sha256 } = await askServer<Program>(findAccess(), "POST", "/sensor-programs", body);
  process.stdout.write(plain(`${version} for ${platform}, SHA-256 ${sha256}\n`));
  return 0;
}

function contentOf(file: string): string {
  try {
    return readFileSync(file).toString("base64");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("FILE_UNREADABLE", `${file} cannot be read: ${why}`, "check the path", cause);
  }
}

/** Programs that nodes can be upgraded to. */
export async function programs(): Promise<number> {
  const { items } = await askServer<{ items: readonly Program[] }>(findAccess(), "GET", "/sensor-programs");
  const rows = items.map(({ version, platform, sha256, addedBy, addedAt }) => {
    return [version, platform, sha256.slice(0, SHOWN_DIGITS), addedBy, addedAt.slice(0, 19)];
  });
  const lines =
    rows.length === 0
      ? ["No program was given yet: bulwark sensor upload gives one."]
      : columns(rows, ["VERSION", "PLATFORM", "SHA-256", "ADDED BY", "AT"]);
  process.stdout.write(plain(`${lines.join("\n")}\n`));
  return 0;
}

/** Upgrades nodes, some at a time, and tells what each one answers. */
export async function upgrade({ text, flags, positionals }: ParsedOptions): Promise<number> {
  if (text.to === undefined) throw usage("upgrade takes --to VERSION");
  if (flags.has("all") === positionals.length > 0) throw usage("upgrade takes names of nodes, or --all");
  const nodeIds = await idsOf(positionals);
  const wave = text.wave === undefined ? {} : { wave: Number(text.wave) };
  const body = { version: text.to, nodeIds, ...wave, stopOnFailure: !flags.has("continue") };
  const started = await askServer<Upgrade>(findAccess(), "POST", "/sensor-upgrades", body);
  if (flags.has("no-wait")) {
    process.stdout.write(`upgrade ${started.id} of ${counted(nodeIds.length, "node")} is under way\n`);
    return 0;
  }
  return outcome(await followed(started));
}

interface NamedNode {
  readonly id: number;
  readonly hostname: string;
}

/** All nodes, or those of these names. */
async function idsOf(names: readonly string[]): Promise<readonly number[]> {
  const found = await allNodes();
  if (names.length === 0 && found.length === 0) throw new CliError("NOT_FOUND", "there is no node", "enrol one first");
  if (names.length === 0) return found.map(({ id }) => id);
  return names.flatMap((name) => {
    const ids = found.filter(({ hostname }) => hostname === name).map(({ id }) => id);
    if (ids.length === 0) throw new CliError("NOT_FOUND", `there is no node ${name}`, "see bulwark asset nodes");
    return ids;
  });
}

async function allNodes(): Promise<readonly NamedNode[]> {
  const found: NamedNode[] = [];
  let next: string | undefined = "";
  while (next !== undefined) {
    const path: string = `/nodes?limit=${PAGE}${next === "" ? "" : `&cursor=${encodeURIComponent(next)}`}`;
    const page = await askServer<{ items: readonly NamedNode[]; next?: string }>(findAccess(), "GET", path);
    found.push(...page.items);
    next = page.next;
  }
  return found;
}

/** Tells each node's answer when it is there. */
async function followed(started: Upgrade): Promise<Upgrade> {
  const told = new Set<string>();
  for (let seen = started; ; ) {
    for (const { hostname, state, detail, rolledBack } of seen.nodes) {
      if (told.has(hostname) || ["pending", "queued", "sent"].includes(state)) continue;
      told.add(hostname);
      process.stdout.write(plain(`${hostname}: ${rolledBack ? "taken back" : state}: ${detail}\n`));
    }
    if (seen.state !== "running") return seen;
    await sleep(ASK_EVERY_MS);
    seen = await askServer<Upgrade>(findAccess(), "GET", `/sensor-upgrades/${started.id}`);
  }
}

function outcome({ id, state, nodes }: Upgrade): number {
  const good = nodes.filter((node) => node.state === "done" || node.state === "unchanged").length;
  process.stdout.write(`upgrade ${id} is ${state}: ${good} of ${nodes.length} nodes run the program\n`);
  return good === nodes.length ? 0 : NOT_ALL_EXIT;
}

function usage(what: string): CliError {
  return new CliError("USAGE", `sensor: ${what}`, "see bulwark sensor --help");
}
