import { columns } from "../columns.ts";
import { CliError, plain } from "../failure.ts";
import { type ParsedOptions, parseOptions } from "../options.ts";
import { askServer, findAccess } from "../server-client.ts";

const IMAGE_HELP = `Asks a Bulwark server about the images of the estate. See bulwark login.

Usage: bulwark image search COMPONENT [--range RANGE] [--ecosystem NAME]
       bulwark image search --vulnerability ID
       bulwark image list [--search TEXT] [--severity LEVEL] [--limit N]

  --range RANGE    versions, such as ">=2.0, <2.15.0"; || separates alternatives
  --format json    the server's answer instead of a table

Exit status of search: 0 nothing has it, 1 something has it, 2 the server could not be asked.

Examples:
  bulwark image search log4j-core --range "<2.17.1"
  bulwark image search --vulnerability CVE-2024-3094
  bulwark image list --severity critical
`;

const TABLE = {
  range: { type: "string" },
  ecosystem: { type: "string" },
  vulnerability: { type: "string" },
  search: { type: "string" },
  severity: { type: "string" },
  limit: { type: "string" },
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
  const options = parseOptions("image", args, TABLE);
  const [action, ...rest] = options.positionals;
  if (options.flags.has("help") || action === undefined) {
    process.stdout.write(IMAGE_HELP);
    return 0;
  }
  if (action === "search" && rest.length <= 1) return search(rest[0], options);
  if (action === "list" && rest.length === 0) return list(options);
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
    `${summary.images} images in ${summary.repositories} repositories have it, through ${summary.layers} layers.`,
    `Versions: ${versions.slice(0, 10).join(", ")}${versions.length > 10 ? ` and ${versions.length - 10} more` : ""}`,
    ...(undetermined.length > 0 ? [`${undetermined.length} versions could not be placed and are counted in`] : []),
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
  if (summary.unowned > 0) lines.push("", `${summary.unowned} images have no owner`);
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
