import { columns } from "../columns.ts";
import { counted } from "../counted.ts";
import { CliError, plain } from "../failure.ts";
import { type ParsedOptions, parseOptions } from "../options.ts";
import { askServer, findAccess } from "../server-client.ts";
import { cleanup, unused } from "./image-cleanup.ts";
import { bases, owner, plan, rebuilds, tree } from "./image-forest.ts";

const IMAGE_HELP = `Asks a Bulwark server about the images of the estate. See bulwark login.

Usage: bulwark image search COMPONENT [--range RANGE] [--ecosystem NAME]
       bulwark image search --vulnerability ID
       bulwark image list [--search TEXT] [--severity LEVEL] [--limit N]
       bulwark image tree [IMAGE] [--depth N] [--limit N]
       bulwark image bases
       bulwark image plan [--fixes N | --share PERCENT] [--measure critical|high|exploited|risk]
       bulwark image owner IMAGE
       bulwark image unused [--days N] [--limit N] [--propose]
       bulwark image cleanup approve|refuse|show ID
       bulwark image rebuilds [--state open|done|cancelled]

  tree             the forest of base images; with IMAGE what this one stands on
  bases            how images spread over bases
  plan             the fewest rebuilds that clear the most of what can be fixed
  owner            whose an image is, and whose every stage is that it stands on
  unused           images that nobody used for some days (90); --propose asks for their deletion
  cleanup          decide over a proposed deletion (by somebody else than who proposed it), or see what became of it
  rebuilds         repositories whose base was fixed

  --range RANGE    versions, such as ">=2.0, <2.15.0"; || separates alternatives
  --format json    the server's answer instead of a table

Exit status of search: 0 nothing has it, 1 something has it, 2 the server could not be asked.

Examples:
  bulwark image search log4j-core --range "<2.17.1"
  bulwark image search --vulnerability CVE-2024-3094
  bulwark image list --severity critical
  bulwark image tree registry/team/shop:1
  bulwark image plan --share 60
`;

const TABLE = {
  range: { type: "string" },
  ecosystem: { type: "string" },
  vulnerability: { type: "string" },
  search: { type: "string" },
  severity: { type: "string" },
  limit: { type: "string" },
  depth: { type: "string" },
  fixes: { type: "string" },
  share: { type: "string" },
  measure: { type: "string" },
  state: { type: "string" },
  days: { type: "string" },
  propose: { type: "boolean" },
  format: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;
const FOUND_EXIT = 1;

interface Found {
  readonly summary: Readonly<Record<"images" | "layers" | "bases" | "owners" | "unowned" | "repositories", number>>;
  readonly images: readonly Item[];
  readonly bases: readonly { readonly reference: string; readonly images: number }[];
  readonly owners: readonly { readonly name: string; readonly email: string; readonly images: number }[];
  readonly subjects: readonly { readonly name: string; readonly version: string; readonly ecosystem: string }[];
  readonly undetermined: readonly unknown[];
}

interface Item {
  readonly reference: string;
  readonly digest: string;
  readonly state: string;
  readonly risk: number;
  readonly owner: { readonly name: string } | null;
  readonly counts: { readonly critical: number; readonly high: number };
}

/** `bulwark image`: see IMAGE_HELP. */
export async function imageCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions("image", args, TABLE, ["table", "json"]);
  const [action, ...rest] = options.positionals;
  if (options.flags.has("help") || action === undefined) {
    process.stdout.write(IMAGE_HELP);
    return 0;
  }
  if (action === "search" && rest.length <= 1) return search(rest[0], options);
  if (action === "list" && rest.length === 0) return list(options);
  if (action === "tree" && rest.length <= 1) return tree(rest[0], options);
  if (action === "bases" && rest.length === 0) return bases(options);
  if (action === "plan" && rest.length === 0) return plan(options);
  if (action === "owner" && rest[0] !== undefined && rest.length === 1) return owner(rest[0], options);
  if (action === "unused" && rest.length === 0) return unused(options);
  if (action === "cleanup" && rest[0] !== undefined && rest[1] !== undefined && rest.length === 2)
    return cleanup(rest[0], rest[1], options);
  if (action === "rebuilds" && rest.length === 0) return rebuilds(options);
  throw new CliError(
    "USAGE",
    `image: "${[action, ...rest].join(" ")}" is nothing it can do`,
    "see bulwark image --help",
  );
}

async function search(component: string | undefined, { text }: ParsedOptions): Promise<number> {
  const { range, ecosystem, vulnerability } = text;
  if ((component === undefined) === (vulnerability === undefined)) {
    throw new CliError("USAGE", "image search: it takes a component or --vulnerability", "see bulwark image --help");
  }
  const query = Object.fromEntries(
    Object.entries({ component, range, ecosystem, vulnerability }).filter(([, value]) => value !== undefined),
  );
  const found = await askServer<Found>(findAccess(), "POST", "/search", query);
  if (text.format === "json") process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  else process.stdout.write(plain(described(found)));
  return found.summary.images === 0 ? 0 : FOUND_EXIT;
}

function described({ summary, images, bases, owners, subjects, undetermined }: Found): string {
  if (summary.images === 0) {
    return subjects.length === 0 ? "No image has it.\n" : "Images had it; none has it any more.\n";
  }
  const versions = [...new Set(subjects.map(({ name, version }) => `${name} ${version}`))];
  const lines = [
    `${counted(summary.images, "image")} in ${counted(summary.repositories, "repository", "repositories")} ${summary.images === 1 ? "has" : "have"} it, through ${counted(summary.layers, "layer")}.`,
    `Versions: ${versions.slice(0, 10).join(", ")}${versions.length > 10 ? ` and ${versions.length - 10} more` : ""}`,
    ...(undetermined.length > 0
      ? [`counted in, since they could not be placed: ${counted(undetermined.length, "version")}`]
      : []),
    "",
    ...columns(
      images.map(({ reference, owner, risk }) => [reference, owner?.name ?? "nobody", String(risk)]),
      ["IMAGE", "OWNER", "RISK"],
    ),
    ...(summary.images > images.length ? [`and ${summary.images - images.length} more`] : []),
  ];
  if (bases.length > 0)
    lines.push(
      "",
      ...columns(
        bases.map((base) => [base.reference, String(base.images)]),
        ["BASE IMAGE", "IMAGES ON IT"],
      ),
    );
  if (owners.length > 0) {
    lines.push(
      "",
      ...columns(
        owners.map((owner) => [owner.name, owner.email, String(owner.images)]),
        ["OWNER", "E-MAIL", "IMAGES"],
      ),
    );
  }
  if (summary.unowned > 0) lines.push("", `without an owner: ${counted(summary.unowned, "image")}`);
  return `${lines.join("\n")}\n`;
}

async function list({ text }: ParsedOptions): Promise<number> {
  const query = new URLSearchParams();
  for (const name of ["search", "severity", "limit"] as const) {
    const value = text[name];
    if (value !== undefined) query.set(name, value);
  }
  const { items } = await askServer<{ readonly items: readonly Item[] }>(findAccess(), "GET", `/images?${query}`);
  if (text.format === "json") process.stdout.write(`${JSON.stringify(items, null, 2)}\n`);
  else {
    const rows = items.map(({ reference, state, risk, counts }) => [
      reference,
      state,
      String(risk),
      String(counts.critical),
      String(counts.high),
    ]);
    process.stdout.write(plain(`${columns(rows, ["IMAGE", "STATE", "RISK", "CRITICAL", "HIGH"]).join("\n")}\n`));
  }
  return 0;
}
