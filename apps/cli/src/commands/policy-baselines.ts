import { clusterId } from "../clusters.ts";
import { columns } from "../columns.ts";
import { counted } from "../counted.ts";
import { CliError, plain } from "../failure.ts";
import type { ParsedOptions } from "../options.ts";
import { askServer, findAccess } from "../server-client.ts";
import { writeTextFile } from "../text-files.ts";

interface Baseline {
  readonly id: number;
  readonly cluster: { readonly name: string };
  readonly namespace: string;
  readonly label: { readonly name: string; readonly value: string } | null;
  readonly state: string;
  readonly learnUntil: string;
  readonly pods: number;
  readonly excluded: number;
  readonly excludedWorkloads: readonly string[];
  readonly tooMany: readonly string[];
  readonly problem: string;
  readonly policy: string;
}

interface Detail extends Baseline {
  readonly values: readonly {
    readonly kind: string;
    readonly value: string;
    readonly pods: number;
    readonly sources: readonly string[];
    readonly more: boolean;
    readonly lastSeen: string;
  }[];
}

interface Proposal {
  readonly policy: string;
  readonly content: string;
  readonly enforceable: readonly { readonly policy: string; readonly mode: string }[];
  readonly broken: readonly { readonly policy: string; readonly pods: number }[];
}

/** `bulwark policy learn`: begins to learn what the pods of a scope are. */
export async function learn({ text }: ParsedOptions): Promise<number> {
  const { cluster, namespace, label, days } = text;
  if (cluster === undefined || (namespace === undefined && label === undefined))
    throw usage("learn needs --cluster, and --namespace or --label");
  const body = {
    cluster: await clusterId(cluster),
    ...(namespace === undefined ? {} : { namespace }),
    ...(label === undefined ? {} : { label: labelOf(label) }),
    ...(days === undefined ? {} : { days: daysOf(days) }),
  };
  const made = await ask<Baseline>("POST", "", body);
  return say(`baseline ${made.id} learns of ${placeOf(made)} until ${dayOf(made.learnUntil)}\n`);
}

/** `bulwark policy baselines`: those that there are. */
export async function listBaselines({ text }: ParsedOptions): Promise<number> {
  const { items } = await ask<{ items: readonly Baseline[] }>("GET", "?limit=200");
  if (text.format === "json") return say(`${JSON.stringify(items, null, 2)}\n`);
  if (items.length === 0) return say("There are no baselines. bulwark policy learn begins one.\n");
  const cells = items.map((each) => [
    ...[String(each.id), placeOf(each), each.state, each.state === "learning" ? dayOf(each.learnUntil) : ""],
    ...[String(each.pods), String(each.excluded), each.policy],
  ]);
  return say(`${columns(cells, ["ID", "OF", "STATE", "UNTIL", "PODS", "LEFT OUT", "POLICY"]).join("\n")}\n`);
}

/** `bulwark policy baseline ID`: what was seen. */
export async function showBaseline([id = ""]: readonly string[], { text }: ParsedOptions): Promise<number> {
  const found = await ask<Detail>("GET", `/${idOf(id)}`);
  if (text.format === "json") return say(`${JSON.stringify(found, null, 2)}\n`);
  const cells = found.values.map(({ kind, value, pods, sources, more, lastSeen }) => [
    ...[kind, value, String(pods), lastSeen.slice(0, 10)],
    `${sources.slice(0, 3).join(", ")}${more || sources.length > 3 ? ", …" : ""}`,
  ]);
  const lines = [
    `${placeOf(found)}: ${found.state}, ${counted(found.pods, "pod")} at most`,
    ...(found.problem === "" ? [] : [`nothing is learned now: ${found.problem}`]),
    ...(found.excluded === 0
      ? []
      : [
          `left out for alerts or break-glass: ${counted(found.excluded, "pod")} of ${found.excludedWorkloads.join(", ")}`,
        ]),
    ...found.tooMany.map((kind) => `too many different values of ${kind}: the policy asks nothing of it`),
    ...columns(cells, ["WHAT", "VALUE", "PODS", "LAST", "IN"]),
  ];
  return say(`${lines.join("\n")}\n`);
}

/** `bulwark policy propose ID`: ends the observation where it is under way, and writes the policy that follows. */
export async function propose([given = ""]: readonly string[], { text }: ParsedOptions): Promise<number> {
  const id = idOf(given);
  const { state } = await ask<Baseline>("GET", `/${id}`);
  const ended = state === "learning" ? await ask<Baseline>("POST", `/${id}/propose`) : undefined;
  if (ended?.state === "learning") return say("it has many pods: what was seen is proposed within a minute or two\n");
  const { content, enforceable, broken } = await ask<Proposal>("GET", `/${id}/proposal`);
  if (text.output === undefined) process.stdout.write(plain(content));
  else await writeTextFile(text.output, content);
  const names = enforceable.filter(({ mode }) => mode !== "enforce").map(({ policy }) => policy);
  const told = [
    `nothing that was seen breaks: ${names.length === 0 ? "no other policy" : names.join(" ")}`,
    ...broken.map(({ policy, pods }) => `${policy} is broken by ${counted(pods, "pod")}`),
    `bulwark policy activate ${id} approves it`,
  ];
  process.stderr.write(plain(`${told.join("\n")}\n`));
  return 0;
}

/** `bulwark policy activate ID [POLICY...]`: approves what is proposed. */
export async function activate([given = "", ...enforce]: readonly string[]): Promise<number> {
  const made = await ask<Baseline>("POST", `/${idOf(given)}/activate`, { enforce });
  const also = enforce.length === 0 ? "" : `; enforced in ${made.namespace}: ${enforce.join(", ")}`;
  return say(`policy ${made.policy} watches ${placeOf(made)}${also}\n`);
}

/** `bulwark policy retire ID`. */
export async function retire([given = ""]: readonly string[]): Promise<number> {
  const made = await ask<Baseline>("POST", `/${idOf(given)}/retire`);
  return say(`baseline ${made.id} is retired${made.policy === "" ? "" : `, and policy ${made.policy} removed`}\n`);
}

function ask<Answer>(method: "GET" | "POST", path: string, body?: object): Promise<Answer> {
  return askServer<Answer>(findAccess(), method, `/admission/baselines${path}`, body);
}

function labelOf(given: string): { readonly name: string; readonly value: string } {
  const equals = given.indexOf("=");
  if (equals < 1) throw usage(`"${given}" is no label; write name=value`);
  return { name: given.slice(0, equals), value: given.slice(equals + 1) };
}

function daysOf(given: string): number {
  if (!/^\d{1,3}$/.test(given)) throw usage(`"${given}" is no number of days`);
  return Number(given);
}

function idOf(given: string): string {
  if (!/^\d+$/.test(given)) throw usage(`"${given}" is no number of a baseline; bulwark policy baselines shows them`);
  return given;
}

function placeOf({ cluster, namespace, label }: Baseline): string {
  const of = label === null ? "" : ` ${label.name}=${label.value}`;
  return `${cluster.name}${namespace === "" ? "" : `/${namespace}`}${of}`;
}

function dayOf(time: string): string {
  return time.slice(0, 10);
}

function say(text: string): number {
  process.stdout.write(plain(text));
  return 0;
}

function usage(what: string): CliError {
  return new CliError("USAGE", `policy: ${what}`, "see bulwark policy --help");
}
