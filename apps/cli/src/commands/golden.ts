import { CliError, plain } from "../failure.ts";
import { GOLDEN_HELP } from "../golden-help.ts";
import { type Advice, type Check, type Detail, type Diff, type Golden, tableOf, textOf } from "../golden-text.ts";
import { type ParsedOptions, parseOptions } from "../options.ts";
import { askServer, findAccess } from "../server-client.ts";
import { writeTextFile } from "../text-files.ts";

const TABLE = {
  state: { type: "string" },
  search: { type: "string" },
  owner: { type: "string" },
  limit: { type: "string" },
  purpose: { type: "string" },
  digest: { type: "string" },
  tag: { type: "string" },
  description: { type: "string" },
  reason: { type: "string" },
  successor: { type: "string" },
  version: { type: "string" },
  from: { type: "string" },
  packages: { type: "string" },
  days: { type: "string" },
  output: { type: "string", short: "o" },
  list: { type: "string" },
  "golden-key": { type: "string" },
  platform: { type: "string" },
  "plain-http": { type: "boolean" },
  format: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;
const BROKEN_EXIT = 1;

type Action = (name: string, options: ParsedOptions) => Promise<number>;

const ACTIONS: Readonly<Record<string, { readonly takes: string; readonly run: Action }>> = {
  list: { takes: "", run: (_name, options) => list(options) },
  propose: { takes: "REPOSITORY", run: propose },
  approve: { takes: "NAME", run: (name, options) => step(name, "approve", undefined, options) },
  publish: {
    takes: "NAME",
    run: (name, options) =>
      step(name, "publish", { tag: needed(options, "tag"), ...given(options, "description") }, options),
  },
  deprecate: { takes: "NAME", run: (name, options) => end(name, "deprecate", options) },
  revoke: { takes: "NAME", run: (name, options) => end(name, "revoke", options) },
  show: { takes: "NAME", run: show },
  diff: { takes: "NAME", run: diff },
  advise: { takes: "IMAGE", run: advise },
  check: { takes: "SOURCE", run: check },
  export: { takes: "", run: (_name, options) => exportList(options) },
};

/** `bulwark golden`: see GOLDEN_HELP. */
export async function goldenCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions("golden", args, TABLE, ["text", "table", "json"]);
  const [verb, name, ...rest] = options.positionals;
  if (options.flags.has("help") || verb === undefined) {
    process.stdout.write(GOLDEN_HELP);
    return 0;
  }
  const action = Object.hasOwn(ACTIONS, verb) ? ACTIONS[verb] : undefined;
  const next = "see bulwark golden --help";
  if (action === undefined) throw new CliError("USAGE", `golden: "${verb}" is nothing it can do`, next);
  if ((action.takes === "") !== (name === undefined) || rest.length > 0)
    throw new CliError(
      "USAGE",
      `golden ${verb}: it takes ${action.takes === "" ? "no name" : `one ${action.takes}`}`,
      next,
    );
  return action.run(name ?? "", options);
}

async function list(options: ParsedOptions): Promise<number> {
  const { state, search, owner, limit = "100" } = options.text;
  const query = new URLSearchParams({
    limit,
    ...(state && { state }),
    ...(search && { search }),
    ...(owner && { owner }),
  });
  const { items } = await ask<{ items: readonly Golden[] }>("GET", `/golden?${query}`);
  return print(options, items, tableOf.list);
}

async function propose(name: string, options: ParsedOptions): Promise<number> {
  const purpose = needed(options, "purpose");
  const owner = options.text.owner === undefined ? {} : { owner: Number(options.text.owner) };
  const body = { repository: await repositoryOf(name), purpose, ...given(options, "digest"), ...owner };
  return print(options, await ask<Detail>("POST", "/golden", body), textOf.detail);
}

async function step(name: string, verb: string, body: object | undefined, options: ParsedOptions): Promise<number> {
  const id = await idOf(name);
  return print(options, await ask<Detail>("POST", `/golden/${id}/${verb}`, body), textOf.detail);
}

async function end(name: string, verb: "deprecate" | "revoke", options: ParsedOptions): Promise<number> {
  const { version, successor } = options.text;
  const body = {
    reason: needed(options, "reason"),
    ...(version === undefined ? {} : { version: Number(version) }),
    ...(successor === undefined ? {} : { successor: await idOf(successor) }),
  };
  return step(name, verb, body, options);
}

async function show(name: string, options: ParsedOptions): Promise<number> {
  return print(options, await ask<Detail>("GET", `/golden/${await idOf(name)}`), textOf.detail);
}

async function diff(name: string, options: ParsedOptions): Promise<number> {
  const query = new URLSearchParams({ ...given(options, "version"), ...given(options, "from") });
  return print(options, await ask<Diff>("GET", `/golden/${await idOf(name)}/diff?${query}`), textOf.diff);
}

async function advise(name: string, options: ParsedOptions): Promise<number> {
  const query = new URLSearchParams({ ...given(options, "packages") });
  const advice = await ask<Advice>("GET", `/images/${await digestOf(name)}/base-advice?${query}`);
  return print(options, advice, textOf.advice);
}

async function check(source: string, options: ParsedOptions): Promise<number> {
  const { openImage } = await import("@bulwark/image");
  const { checkGolden } = await import("../golden-gate.ts");
  const { platform, list: file, "golden-key": key } = options.text;
  const plainHttp = options.flags.has("plain-http");
  const image = await openImage(source, { plainHttp, ...(platform === undefined ? {} : { platform }) });
  try {
    const found = await checkGolden(image, { ...(file && { list: file }), ...(key && { key }) });
    const passed = found.violations.every(({ level }) => level === "warn");
    print(options, { passed, base: found.standing, violations: found.violations } satisfies Check, textOf.check);
    return passed ? 0 : BROKEN_EXIT;
  } finally {
    await image.close();
  }
}

async function exportList(options: ParsedOptions): Promise<number> {
  const query = new URLSearchParams({ ...given(options, "days") });
  const signed = await ask<{ payload: string }>("GET", `/golden/export?${query}`);
  const text = `${JSON.stringify(signed, null, 2)}\n`;
  const { output } = options.text;
  if (output === undefined) {
    process.stdout.write(text);
    return 0;
  }
  await writeTextFile(output, text);
  const { bases, expiresAt } = JSON.parse(signed.payload) as { bases: readonly unknown[]; expiresAt: string };
  process.stderr.write(`${bases.length} versions of golden images are in ${output}, which holds until ${expiresAt}\n`);
  return 0;
}

function ask<Answer>(method: "GET" | "POST", path: string, body?: object): Promise<Answer> {
  return askServer<Answer>(findAccess(), method, path, body);
}

/** A golden image by id, or by registry and repository. */
async function idOf(name: string): Promise<number> {
  if (/^\d+$/.test(name)) return Number(name);
  const { items } = await ask<{ items: readonly Golden[] }>(
    "GET",
    `/golden?${new URLSearchParams({ search: name.slice(0, 200) })}`,
  );
  const found = items.filter(
    ({ repository: { registry, name: path } }) => name === `${registry}/${path}` || name === path,
  );
  const [golden, other] = found;
  if (golden === undefined) throw new CliError("NOT_FOUND", `${name} is no golden image`, "see bulwark golden list");
  if (other !== undefined) throw new CliError("USAGE", `${name} names several golden images`, "give its id instead");
  return golden.id;
}

interface Named {
  readonly id: number;
  readonly name: string;
  readonly registry: { readonly name: string } | string;
}

async function repositoryOf(name: string): Promise<number> {
  if (/^\d+$/.test(name)) return Number(name);
  const search = name.includes("/") ? name.slice(name.indexOf("/") + 1) : name;
  const { items } = await ask<{ items: readonly Named[] }>(
    "GET",
    `/repositories?${new URLSearchParams({ search, limit: "500" })}`,
  );
  const found = items.filter(({ name: path, registry }) => {
    const place = typeof registry === "string" ? registry : registry.name;
    return name === path || name === `${place}/${path}`;
  });
  const [repository, other] = found;
  if (repository === undefined)
    throw new CliError("NOT_FOUND", `no registry has a repository ${name}`, "give it as REGISTRY/REPOSITORY");
  if (other !== undefined)
    throw new CliError("USAGE", `${name} is in several registries`, "give it as REGISTRY/REPOSITORY");
  return repository.id;
}

async function digestOf(name: string): Promise<string> {
  const digest = /(sha(?:256|512):[0-9a-f]+)$/.exec(name)?.[1];
  if (digest !== undefined) return digest;
  const search = name.replace(/:[^/:]*$/, "").replace(/^[^/]*\//, "");
  const { items } = await ask<{
    items: readonly {
      reference: string;
      digest: string;
      locations: readonly { registry: string; repository: string; tags: readonly string[] }[];
    }[];
  }>("GET", `/images?${new URLSearchParams({ search: search.slice(0, 200), limit: "500" })}`);
  const found = items.find(({ locations }) =>
    locations.some(({ registry, repository, tags }) => tags.some((tag) => name === `${registry}/${repository}:${tag}`)),
  );
  if (found !== undefined) return found.digest;
  throw new CliError(
    "NOT_FOUND",
    `the server knows no image ${name}`,
    "give it as REGISTRY/REPOSITORY:TAG, or its digest",
  );
}

function needed({ text }: ParsedOptions, name: string): string {
  const value = text[name];
  if (value !== undefined && value !== "") return value;
  throw new CliError("USAGE", `golden: --${name} is needed`, "see bulwark golden --help");
}

function given({ text }: ParsedOptions, name: string): Readonly<Record<string, string>> {
  const value = text[name];
  return value === undefined ? {} : { [name]: value };
}

function print<Value>({ text }: ParsedOptions, value: Value, inWords: (value: Value) => readonly string[]): number {
  if (text.format === "json") process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  else process.stdout.write(plain(`${inWords(value).join("\n")}\n`));
  return 0;
}
