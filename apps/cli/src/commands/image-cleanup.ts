import { columns } from "../columns.ts";
import { counted } from "../counted.ts";
import { CliError, plain } from "../failure.ts";
import type { ParsedOptions } from "../options.ts";
import { askServer, findAccess } from "../server-client.ts";

const DEFAULT_DAYS = "90";
const SHORT_DIGEST = 19;
const MEBIBYTE = 2 ** 20;

interface Unused {
  readonly registry: string;
  readonly repository: string;
  readonly digest: string;
  readonly tags: readonly string[];
  readonly sizeBytes: number;
  readonly owner: { readonly name: string } | null;
}
interface Cleanup {
  readonly id: number;
  readonly state: string;
  readonly items: Readonly<Record<string, number>>;
}
interface Item extends Unused {
  readonly state: string;
  readonly why: string;
}

/** Images that nobody used for some days; with --propose their deletion is asked for. */
export async function unused({ text, flags }: ParsedOptions): Promise<number> {
  const days = text.days ?? DEFAULT_DAYS;
  if (!/^[1-9]\d{0,3}$/.test(days)) {
    throw new CliError("USAGE", `--days "${days}" is no number of days`, "give a whole number, such as 90");
  }
  if (flags.has("propose")) {
    const made = await askServer<Cleanup>(findAccess(), "POST", "/cleanups", { days: Number(days) });
    const next = `Somebody else approves it: bulwark image cleanup approve ${made.id}`;
    process.stdout.write(
      `Cleanup ${made.id} proposes ${counted(made.items.waiting ?? 0, "image")} for deletion.\n${next}\n`,
    );
    return 0;
  }
  const query = new URLSearchParams({ days, limit: text.limit ?? "100" });
  const { items } = await askServer<{ readonly items: readonly Unused[] }>(findAccess(), "GET", `/unused?${query}`);
  if (text.format === "json") process.stdout.write(`${JSON.stringify(items, null, 2)}\n`);
  else if (items.length === 0) process.stdout.write(`Every image was used in the last ${days} days, or is held.\n`);
  else process.stdout.write(plain(`${columns(items.map(cellsOf), HEADS).join("\n")}\n`));
  return 0;
}

const HEADS = ["IMAGE", "MANIFEST", "MIB", "OWNER"];

function cellsOf({ registry, repository, tags, digest, sizeBytes, owner }: Unused): readonly string[] {
  const name = `${registry}/${repository}:${tags.join(",")}`;
  return [name, digest.slice(0, SHORT_DIGEST), (sizeBytes / MEBIBYTE).toFixed(1), owner?.name ?? "nobody"];
}

/** Decides over a cleanup, or shows what became of it. */
export async function cleanup(action: string, id: string, { text }: ParsedOptions): Promise<number> {
  if (!/^[1-9]\d{0,15}$/.test(id)) {
    throw new CliError("USAGE", `image cleanup: "${id}" is no cleanup`, "give its number");
  }
  if (action === "approve" || action === "refuse") {
    const decided = await askServer<Cleanup>(findAccess(), "POST", `/cleanups/${id}/${action}`);
    process.stdout.write(`Cleanup ${decided.id} is ${decided.state}.\n`);
    return 0;
  }
  if (action !== "show") {
    throw new CliError("USAGE", `image cleanup: "${action}" is nothing it can do`, "see bulwark image --help");
  }
  const { items } = await askServer<{ readonly items: readonly Item[] }>(
    findAccess(),
    "GET",
    `/cleanups/${id}/items?limit=${text.limit ?? "500"}`,
  );
  if (text.format === "json") process.stdout.write(`${JSON.stringify(items, null, 2)}\n`);
  else {
    const rows = items.map((item) => [...cellsOf(item), item.state, item.why]);
    process.stdout.write(plain(`${columns(rows, [...HEADS, "STATE", "WHY"]).join("\n")}\n`));
  }
  return 0;
}
