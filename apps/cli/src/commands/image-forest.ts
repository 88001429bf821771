import { columns } from "../columns.ts";
import { counted } from "../counted.ts";
import { CliError, plain } from "../failure.ts";
import type { ParsedOptions } from "../options.ts";
import { askServer, findAccess } from "../server-client.ts";

const DEFAULT_DEPTH = 2;
const DEFAULT_WIDTH = 20;
const MAX_WIDTH = 500;
const SHORT_DIGEST = 19;

interface Node {
  readonly id: number;
  readonly chain: string;
  readonly kind: "known" | "deleted" | "anonymous" | "cache";
  readonly layers: number;
  readonly how: string;
  readonly live: number;
  readonly beneath: number;
  readonly children: number;
  readonly repository: string | null;
  readonly image: {
    readonly reference: string;
    readonly owner: { readonly name: string } | null;
    readonly counts: { readonly critical: number; readonly high: number };
  } | null;
}
interface Page<Item> {
  readonly items: readonly Item[];
  readonly next?: string;
}

/** How people would call a node. */
function nameOf({ kind, image, repository, chain }: Node): string {
  if (kind === "cache") return `builds of ${repository ?? "one repository"}`;
  if (kind === "anonymous") return `anonymous base ${chain.slice(0, SHORT_DIGEST)}`;
  const name = image?.reference ?? chain.slice(0, SHORT_DIGEST);
  return kind === "deleted" ? `${name} (deleted)` : name;
}

function lineOf(node: Node): string {
  const counts = node.image?.counts;
  const flaws = counts === undefined ? "" : `, ${counts.critical} critical and ${counts.high} high`;
  const owner = node.image?.owner?.name;
  const on = node.beneath === 0 ? "" : `, ${counted(node.beneath, "image")} on it`;
  return `${nameOf(node)} (${counted(node.layers, "layer")}${on}${flaws}${owner === undefined ? "" : `, owner ${owner}`})`;
}

/** The forest from its roots, or what one image stands on. */
export async function tree(image: string | undefined, { text }: ParsedOptions): Promise<number> {
  if (image !== undefined) return path(image, text.format === "json");
  const depth = wholeNumber("--depth", text.depth, DEFAULT_DEPTH, 1, 20);
  const width = wholeNumber("--limit", text.limit, DEFAULT_WIDTH, 1, MAX_WIDTH);
  const roots = await grown(undefined, depth, width);
  if (text.format === "json") process.stdout.write(`${JSON.stringify(roots, null, 2)}\n`);
  else if (roots.nodes.length === 0) process.stdout.write("No image stands on another yet.\n");
  else process.stdout.write(plain(`${drawn(roots, "").join("\n")}\n`));
  return 0;
}

interface Branch {
  readonly nodes: readonly (Node & { readonly on: Branch })[];
  readonly more: boolean;
}

async function grown(under: number | undefined, depth: number, width: number): Promise<Branch> {
  if (depth === 0) return { nodes: [], more: false };
  const place = under === undefined ? "&least=1" : `&under=${under}`;
  const page = await askServer<Page<Node>>(findAccess(), "GET", `/lineage/nodes?limit=${width}${place}`);
  const nodes = [];
  for (const node of page.items) {
    nodes.push({
      ...node,
      on: node.children === 0 ? { nodes: [], more: false } : await grown(node.id, depth - 1, width),
    });
  }
  return { nodes, more: page.next !== undefined };
}

function drawn({ nodes, more }: Branch, indent: string): readonly string[] {
  const lines = nodes.flatMap((node, index) => {
    const isLast = index === nodes.length - 1 && !more;
    return [
      `${indent}${isLast ? "└─ " : "├─ "}${lineOf(node)}`,
      ...drawn(node.on, `${indent}${isLast ? "   " : "│  "}`),
    ];
  });
  return more ? [...lines, `${indent}└─ … (--limit shows more)`] : lines;
}

async function path(image: string, isJson: boolean): Promise<number> {
  const { digest } = await ownerOf(image);
  const { items } = await askServer<Page<Node>>(findAccess(), "GET", `/images/${digest}/bases`);
  if (isJson) process.stdout.write(`${JSON.stringify(items, null, 2)}\n`);
  else if (items.length === 0) process.stdout.write("The image has no layers, or was not scanned yet.\n");
  else {
    const lines = items.map((node, step) => {
      const how = node.how === "declared" ? " by declaration alone" : "";
      return `${"   ".repeat(step)}${step === 0 ? "" : "└─ "}${lineOf(node)}${how}`;
    });
    process.stdout.write(plain(`${lines.join("\n")}\n`));
  }
  return 0;
}

interface OwnerAnswer {
  readonly digest: string;
  readonly reference: string;
  readonly owner: { readonly name: string } | null;
  readonly stages: readonly {
    readonly kind: string;
    readonly reference: string | null;
    readonly owner: { readonly name: string } | null;
  }[];
}

const ownerOf = (image: string) =>
  askServer<OwnerAnswer>(findAccess(), "GET", `/image-owner?${new URLSearchParams({ image })}`);

/** Whose an image is, and whose what it stands on is. */
export async function owner(image: string, { text }: ParsedOptions): Promise<number> {
  const found = await ownerOf(image);
  if (text.format === "json") process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  else {
    const rows = found.stages.map((stage) => [stage.reference ?? `${stage.kind} base`, stage.owner?.name ?? "nobody"]);
    const head = `${found.reference}: ${found.owner?.name ?? "nobody"}`;
    process.stdout.write(plain(`${[head, "", ...columns(rows, ["STANDS ON", "OWNER"])].join("\n")}\n`));
  }
  return 0;
}

interface Coverage {
  readonly images: number;
  readonly bases: number;
  readonly reached: readonly { readonly percent: number; readonly bases: number }[];
}
interface Spread {
  readonly measuredAt: string;
  readonly images: number;
  readonly standing: number;
  readonly isolated: number;
  readonly roots: number;
  readonly bases: number;
  readonly byRoot: Coverage;
  readonly flawed: Readonly<Record<"critical" | "high" | "any", { readonly bases: number }>>;
  readonly topRoots: readonly { readonly images: number; readonly node: Node | null }[];
}

/** How images spread over bases. */
export async function bases({ text }: ParsedOptions): Promise<number> {
  const spread = await askServer<Spread>(findAccess(), "GET", "/lineage/spread");
  if (text.format === "json") {
    process.stdout.write(`${JSON.stringify(spread, null, 2)}\n`);
    return 0;
  }
  const percent = (part: number, whole: number) => (whole === 0 ? "0 %" : `${((100 * part) / whole).toFixed(1)} %`);
  const rows = spread.topRoots.map(({ images, node }) => [
    node === null ? "an image that you may not see" : nameOf(node),
    String(images),
    percent(images, spread.standing),
    String(node?.image?.counts.critical ?? ""),
    node?.image?.owner?.name ?? "",
  ]);
  const lines = [
    `${counted(spread.images, "image")}, ${spread.standing} of them on ${counted(spread.bases, "base")} (${spread.roots} of which on nothing), as of ${spread.measuredAt}.`,
    ...spread.byRoot.reached.map(
      (step) => `${counted(step.bases, "base")} ${step.bases === 1 ? "carries" : "carry"} ${step.percent} %.`,
    ),
    `${percent(spread.flawed.any.bases, spread.bases)} of the bases have flaws, ${percent(spread.flawed.critical.bases, spread.bases)} critical ones.`,
    "",
    ...columns(rows, ["BASE", "IMAGES", "SHARE", "CRITICAL", "OWNER"]),
  ];
  process.stdout.write(plain(`${lines.join("\n")}\n`));
  return 0;
}

interface Plan {
  readonly total: number;
  readonly cleared: number;
  readonly images: number;
  readonly reached: boolean;
  readonly stepCount: number;
  readonly bound: { readonly kind: "cost" | "cleared"; readonly factor: number };
  readonly steps: readonly {
    readonly action: "rebuild-base" | "fix-own";
    readonly gain: number;
    readonly share: number;
    readonly images: number;
    readonly node: Node | null;
  }[];
}
const MEASURED: Readonly<Record<string, string>> = {
  critical: "critical findings",
  high: "critical and high findings",
  exploited: "exploited findings",
  risk: "risk",
};

/** Which rebuilds clear the most. */
export async function plan({ text }: ParsedOptions): Promise<number> {
  if (text.fixes !== undefined && text.share !== undefined) {
    throw new CliError("USAGE", "image plan: it takes --fixes or --share, not both", "see bulwark image --help");
  }
  const measure = text.measure ?? "critical";
  if (MEASURED[measure] === undefined) {
    const next = `choose one of ${Object.keys(MEASURED).join(", ")}`;
    throw new CliError("USAGE", `image plan: "${measure}" is nothing it measures`, next);
  }
  const goal =
    text.share === undefined
      ? `fixes=${wholeNumber("--fixes", text.fixes, 10, 1, MAX_WIDTH)}`
      : `share=${wholeNumber("--share", text.share, 60, 1, 100) / 100}`;
  const made = await askServer<Plan>(findAccess(), "GET", `/lineage/plan?${goal}&measure=${measure}`);
  if (text.format === "json") process.stdout.write(`${JSON.stringify(made, null, 2)}\n`);
  else process.stdout.write(plain(describedPlan(made, MEASURED[measure] ?? "")));
  return 0;
}

function describedPlan({ total, cleared, images, steps, stepCount, bound, reached }: Plan, what: string): string {
  if (total === 0) return `No ${what} that have a fix.\n`;
  const rows = steps.map(({ action, gain, share, images: touched, node }, index) => [
    String(index + 1),
    action === "rebuild-base" ? "rebuild" : "fix in",
    node === null ? "" : action === "rebuild-base" ? nameOf(node) : (node.repository ?? nameOf(node)),
    String(gain),
    `${(100 * share).toFixed(1)} %`,
    String(touched),
    node?.image?.owner?.name ?? "",
  ]);
  const percent = ((100 * cleared) / total).toFixed(1);
  const nearness =
    bound.kind === "cost"
      ? `at most ${bound.factor.toFixed(2)} times the fewest there could be`
      : `at least ${(100 * bound.factor).toFixed(1)} % of what so many could clear`;
  const lines = [
    `${counted(stepCount, "fix", "fixes")} ${stepCount === 1 ? "clears" : "clear"} ${cleared} of ${total} ${what} (${percent} %) in ${counted(images, "image")}: ${nearness}.`,
    ...(reached ? [] : ["Nothing else that can be fixed would clear more."]),
    "",
    ...columns(rows, ["", "DO", "WHERE", "CLEARS", "TOGETHER", "IMAGES", "OWNER"]),
    ...(stepCount > steps.length ? [`and ${stepCount - steps.length} more`] : []),
  ];
  return `${lines.join("\n")}\n`;
}

interface Rebuild {
  readonly id: number;
  readonly state: string;
  readonly repository: { readonly name: string; readonly registry: string };
  readonly owner: { readonly name: string } | null;
  readonly base: { readonly repository: string; readonly tag: string; readonly to: string };
  readonly findings: readonly string[];
}

/** Repositories to be built anew on a fixed base. */
export async function rebuilds({ text }: ParsedOptions): Promise<number> {
  const query = new URLSearchParams({ limit: text.limit ?? "100", state: text.state ?? "open" });
  const { items } = await askServer<Page<Rebuild>>(findAccess(), "GET", `/rebuilds?${query}`);
  if (text.format === "json") process.stdout.write(`${JSON.stringify(items, null, 2)}\n`);
  else if (items.length === 0) process.stdout.write("Nothing waits for a rebuild.\n");
  else {
    const rows = items.map(({ repository, owner, base, findings }) => [
      `${repository.registry}/${repository.name}`,
      `${base.repository}:${base.tag}@${base.to.slice(0, SHORT_DIGEST)}`,
      String(findings.length),
      owner?.name ?? "nobody",
    ]);
    process.stdout.write(plain(`${columns(rows, ["REPOSITORY", "REBUILD ON", "CLEARS", "OWNER"]).join("\n")}\n`));
  }
  return 0;
}

function wholeNumber(name: string, given: string | undefined, otherwise: number, least: number, most: number): number {
  if (given === undefined) return otherwise;
  const value = Number(given);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new CliError(
    "USAGE",
    `${name} "${given}" is no whole number from ${least} to ${most}`,
    "see bulwark image --help",
  );
}
