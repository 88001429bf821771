import { columns } from "../columns.ts";
import { CliError, plain } from "../failure.ts";
import { parseOptions } from "../options.ts";
import { askServer, findAccess } from "../server-client.ts";

const ASSET_HELP = `Asks a Bulwark server what runs on the nodes that have a sensor. See bulwark login.

Usage: bulwark asset nodes|containers|programs|ports [--search TEXT] [--limit N] [--format json]

  --exposed      containers of which others than their node can reach a port
  --self-built   containers of images that no connected registry has
  --kind KIND    ports: web, database or other

Examples:
  bulwark asset nodes
  bulwark asset containers --search nginx
  bulwark asset ports --kind database
`;

const TABLE = {
  search: { type: "string" },
  kind: { type: "string" },
  exposed: { type: "boolean" },
  "self-built": { type: "boolean" },
  limit: { type: "string" },
  format: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

type Row = Readonly<Record<string, unknown>>;
interface Kind {
  readonly path: string;
  readonly heads: readonly string[];
  readonly cells: (row: Row) => readonly string[];
}

const text = (value: unknown): string => (value === null || value === undefined ? "" : String(value));

/** Who answers for a container, and by what that is known. */
function ownerOf({ owner }: Row): string {
  const { name, from } = (owner ?? {}) as { readonly name?: string; readonly from?: string };
  return name === undefined ? "" : `${name} (${from})`;
}

/** What makes a container stand out. */
function kindsOf({ privileged, exposure, selfBuilt }: Row): string {
  const isExposed = Array.isArray(exposure) && exposure.length > 0;
  return [privileged === true ? "privileged" : "", isExposed ? "exposed" : "", selfBuilt === true ? "self-built" : ""]
    .filter((each) => each !== "")
    .join(", ");
}

const KINDS: Readonly<Record<string, Kind>> = {
  nodes: {
    path: "/nodes",
    heads: ["ID", "NODE", "SENSOR", "CONNECTED SINCE", "CONTAINERS", "EVENTS LOST"],
    cells: (row) => [
      ...[text(row.id), text(row.hostname), text(row.sensorVersion), text(row.connectedAt) || "not connected"],
      ...[text(row.containers), text(row.lost)],
    ],
  },
  containers: {
    path: "/containers?running=true",
    heads: ["ID", "CONTAINER", "NODE", "IMAGE", "OWNER", "IS", "ALERTS"],
    cells: (row) => [
      ...[text(row.id), `${text(row.name)} (${text(row.runtimeId).slice(0, 12)})`, text(row.hostname), text(row.image)],
      ...[ownerOf(row), kindsOf(row), text(row.openAlerts)],
    ],
  },
  programs: {
    path: "/programs",
    heads: ["PROGRAM", "USER", "PROCESSES", "CONTAINER", "NODE"],
    cells: (row) => [
      ...[
        text(row.exe),
        text(row.userName),
        text(row.processes),
        text(row.containerName) || "the host",
        text(row.hostname),
      ],
    ],
  },
  ports: {
    path: "/listeners",
    heads: ["PORT", "ADDRESS", "PROGRAM", "IS", "CONTAINER", "NODE"],
    cells: (row) => [
      ...[
        `${text(row.port)}/${text(row.protocol)}`,
        text(row.address),
        text(row.name),
        text(row.product) || text(row.kind),
      ],
      ...[text(row.containerName) || "the host", text(row.hostname)],
    ],
  },
};

/** `bulwark asset`: see ASSET_HELP. */
export async function assetCommand(args: readonly string[]): Promise<number> {
  const { text: given, flags, positionals } = parseOptions("asset", args, TABLE, ["table", "json"]);
  const [name, ...rest] = positionals;
  if (flags.has("help") || name === undefined) {
    process.stdout.write(ASSET_HELP);
    return 0;
  }
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (kind === undefined || rest.length > 0) {
    throw new CliError(
      "USAGE",
      `asset: "${positionals.join(" ")}" is no kind of asset; there are ${Object.keys(KINDS).join(", ")}`,
      "see bulwark asset --help",
    );
  }
  const query = new URLSearchParams({ limit: given.limit ?? "100" });
  if (given.search !== undefined) query.set("text", given.search);
  if (given.kind !== undefined) query.set("kind", given.kind);
  if (flags.has("exposed")) query.set("exposed", "true");
  if (flags.has("self-built")) query.set("selfBuilt", "true");
  const path = `${kind.path}${kind.path.includes("?") ? "&" : "?"}${query}`;
  const { items, next } = await askServer<{ items: readonly Row[]; next?: string }>(findAccess(), "GET", path);
  if (given.format === "json") process.stdout.write(`${JSON.stringify(items, null, 2)}\n`);
  else {
    const lines = items.length === 0 ? [`There are no ${name}.`] : columns(items.map(kind.cells), kind.heads);
    const more = next === undefined ? [] : ["and more; raise --limit, or search with --search"];
    process.stdout.write(plain(`${[...lines, ...more].join("\n")}\n`));
  }
  return 0;
}
