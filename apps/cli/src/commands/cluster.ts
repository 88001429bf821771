import { clusterOf, clustersNamed } from "../clusters.ts";
import { columns } from "../columns.ts";
import { CliError, plain } from "../failure.ts";
import { type ParsedOptions, parseOptions } from "../options.ts";
import { askServer, findAccess } from "../server-client.ts";

const CLUSTER_HELP = `Joins Kubernetes clusters to a Bulwark server, and lists them. See bulwark login.

Usage: bulwark cluster join NAME [options]      prints what the cluster needs, for kubectl apply
       bulwark cluster token NAME [--grade GRADE] [--hours N]
                                               prints the token alone, for Helm or kustomize
       bulwark cluster list [--format json]
       bulwark cluster remove NAME             its agent counts no more, and what it told is forgotten

  --gateway HOST:PORT   the server's gateway as pods reach it (default: port 9443 of the server's host)
  --image REFERENCE     the image that holds the server (default: bulwark:latest)
  --no-admission        tell what runs, and do not ask before it starts
  --grade GRADE         how much it matters: critical
  --hours N             how long the token is good (default: 24)

join and token take a cluster of this name that is there: the token before counts no more, and a grade is changed.

Examples:
  bulwark cluster join harbour --image registry.example.com/bulwark:1 | kubectl apply -f -
  bulwark cluster list
`;

const TABLE = {
  gateway: { type: "string" },
  image: { type: "string" },
  "no-admission": { type: "boolean" },
  grade: { type: "string" },
  hours: { type: "string" },
  format: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;
const GATEWAY_PORT = 9443;
const MAX_HOURS = 720;

type Action = (options: ParsedOptions, name: string) => Promise<number>;
const ACTIONS: Readonly<Record<string, Action>> = { join, token, list, remove };
const NAMELESS: ReadonlySet<string> = new Set(["list"]);
/** Of this machine: another one, or a pod, means itself by it. */
const LOOPBACK = /^(?:localhost|127\.|\[::1\])/;

/** `bulwark cluster`: see CLUSTER_HELP. */
export async function clusterCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions("cluster", args, TABLE, ["table", "json"]);
  const [name, ...words] = options.positionals;
  if (options.flags.has("help") || name === undefined) {
    process.stdout.write(CLUSTER_HELP);
    return 0;
  }
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  const next = "see bulwark cluster --help";
  if (action === undefined) throw new CliError("USAGE", `cluster: "${name}" is nothing it can do`, next);
  const wanted = NAMELESS.has(name) ? 0 : 1;
  if (words.length !== wanted)
    throw new CliError("USAGE", `cluster ${name} takes ${wanted === 0 ? "no name" : "one name"}`, next);
  return action(options, words[0] ?? "");
}

async function join({ text, flags }: ParsedOptions, name: string): Promise<number> {
  const access = findAccess();
  const gateway = text.gateway ?? `${new URL(access.url).hostname}:${GATEWAY_PORT}`;
  if (!/^(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9.-]+):\d{1,5}$/.test(gateway))
    throw new CliError(
      "USAGE",
      `cluster join: "${gateway}" is no HOST:PORT`,
      "give --gateway as gateway.example.com:9443",
    );
  const { id, wasThere } = await invited(name, text);
  const asked = {
    gateway,
    admission: !flags.has("no-admission"),
    ...hoursOf(text),
    ...(text.image === undefined ? {} : { image: text.image }),
  };
  const made = await askServer<{ manifest: string; expiresAt: string }>(
    access,
    "POST",
    `/clusters/${id}/manifest`,
    asked,
  );
  process.stdout.write(made.manifest);
  if (LOOPBACK.test(gateway))
    tell(
      `Pods do not reach ${gateway}, which is their own: give --gateway with an address of this machine's,` +
        " and the same to bulwark up.",
    );
  tell(`The cluster ${name}${wasThere ? ", which was there," : ""} may join until ${made.expiresAt}.`);
  return 0;
}

async function token({ text }: ParsedOptions, name: string): Promise<number> {
  const { id, wasThere } = await invited(name, text);
  const path = `/clusters/${id}/token`;
  const made = await askServer<{ token: string; expiresAt: string }>(findAccess(), "POST", path, hoursOf(text));
  process.stdout.write(plain(`${made.token}\n`));
  tell(`The cluster ${name}${wasThere ? ", which was there," : ""} may join until ${made.expiresAt}.`);
  return 0;
}

async function remove(_options: ParsedOptions, name: string): Promise<number> {
  const found = await clusterOf(name);
  if (found === undefined) throw new CliError("NOT_FOUND", `there is no cluster ${name}`, "see bulwark cluster list");
  await askServer(findAccess(), "DELETE", `/clusters/${found.id}`);
  process.stdout.write(
    plain(`${name} is removed; take the agent out of it with kubectl delete namespace bulwark-agent\n`),
  );
  return 0;
}

/** The cluster of this name, with the grade that was given; a new one where there is none. */
async function invited(
  name: string,
  text: ParsedOptions["text"],
): Promise<{ readonly id: number; readonly wasThere: boolean }> {
  const access = findAccess();
  const { grade } = text;
  const hours = hoursOf(text);
  const found = await clusterOf(name);
  if (found !== undefined) {
    if (grade !== undefined) await askServer(access, "PATCH", `/clusters/${found.id}`, { grade });
    return { id: found.id, wasThere: true };
  }
  const body = { name, ...(grade === undefined ? {} : { grade }), ...hours };
  const made = await askServer<{ cluster: { id: number } }>(access, "POST", "/clusters", body);
  return { id: made.cluster.id, wasThere: false };
}

function tell(line: string): void {
  process.stderr.write(plain(`${line}\n`));
}

async function list({ text }: ParsedOptions): Promise<number> {
  const items = await clustersNamed("");
  if (text.format === "json") {
    process.stdout.write(`${JSON.stringify(items, null, 2)}\n`);
    return 0;
  }
  const heads = ["ID", "CLUSTER", "IS", "VERSION", "NODES", "PODS", "EXPOSED", "ATTACK PATHS"];
  const rows = items.map((each) => [
    ...[String(each.id), each.name, each.state, each.version, String(each.nodes), String(each.pods)],
    ...[String(each.exposed), String(each.attackPaths)],
  ]);
  const lines = items.length === 0 ? ["There are no clusters."] : columns(rows, heads);
  process.stdout.write(plain(`${lines.join("\n")}\n`));
  return 0;
}

function hoursOf({ hours }: ParsedOptions["text"]): { readonly hours?: number } {
  if (hours === undefined) return {};
  if (/^\d{1,4}$/.test(hours) && Number(hours) >= 1 && Number(hours) <= MAX_HOURS) return { hours: Number(hours) };
  throw new CliError("USAGE", `--hours: "${hours}" is no number of hours`, `give 1 to ${MAX_HOURS}`);
}
