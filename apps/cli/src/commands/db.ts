import { existsSync, realpathSync, statSync } from "node:fs";
import { type AdvisoryDatabase, type DatabaseStatus, openAdvisoryDatabase } from "@bulwark/advisory";
import { catalog } from "@bulwark/ecosystems";
import { databaseFile, seedDirectory } from "@bulwark/scan/shipped/places";
import { DB_HELP } from "../db-help.ts";
import { CliError, plain } from "../failure.ts";
import { type ParsedOptions, parseOptions } from "../options.ts";
import { progressLine } from "../progress-line.ts";

const TABLE = {
  db: { type: "string" },
  ecosystems: { type: "string", multiple: true },
  "osv-url": { type: "string" },
  "kev-url": { type: "string" },
  "epss-url": { type: "string" },
  "ca-file": { type: "string" },
  "plain-http": { type: "boolean" },
  "if-newer": { type: "boolean" },
  force: { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
  help: { type: "boolean", short: "h" },
} as const;

type Action = (options: ParsedOptions, words: readonly string[]) => Promise<void>;

const ACTIONS: Readonly<Record<string, Action>> = { update, import: importFiles, status, push, pull };

/** `bulwark db`: see DB_HELP. */
export async function databaseCommand(args: readonly string[]): Promise<number> {
  const options = parseOptions("db", args, TABLE);
  const [name, ...words] = options.positionals;
  if (options.flags.has("help") || name === undefined) {
    process.stdout.write(DB_HELP);
    return 0;
  }
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) throw new CliError("USAGE", `db: no action "${name}"`, "see bulwark db --help");
  await action(options, words);
  return 0;
}

function fileOf({ text }: ParsedOptions): string {
  return text.db ?? databaseFile();
}

async function importFiles(options: ParsedOptions, files: readonly string[]): Promise<void> {
  if (files.length === 0) throw new CliError("USAGE", "db import: no file is given", "see bulwark db --help");
  const database = fileOf(options);
  if (options.flags.has("if-newer") && isNewer(database, files)) {
    process.stdout.write(`${database} is newer than what would be imported\n`);
    return;
  }
  const { importAdvisories } = await import("@bulwark/advisory/maintain");
  const progress = progressLine(options.flags.has("quiet"));
  const seed = files.every((file) => existsSync(file) && realpathSync(file) === realpathSync(seedDirectory));
  const onProgress = (records: number) => progress.show(`importing: ${records} records`);
  const summary = await importAdvisories({ database, catalog, files, seed, onProgress }).finally(() =>
    progress.clear(),
  );
  const parts = [
    `${summary.added} added`,
    `${summary.unchanged} unchanged`,
    `${summary.withdrawn} withdrawn`,
    `${summary.skipped} about no package that can be matched`,
    ...(summary.knownExploited > 0 ? [`${summary.knownExploited} known exploited`] : []),
    ...(summary.predictions > 0 ? [`${summary.predictions} exploit predictions`] : []),
    ...(summary.refused > 0 ? [`${summary.refused} refused`] : []),
  ];
  process.stdout.write(`${database}: ${parts.join(", ")}\n`);
  for (const refusal of summary.refusals) process.stderr.write(`refused: ${plain(refusal)}\n`);
}

function isNewer(database: string, files: readonly string[]): boolean {
  if (!existsSync(database)) return false;
  const made = statSync(database).mtimeMs;
  return files.every((file) => existsSync(file) && statSync(file).mtimeMs < made);
}

async function update(options: ParsedOptions): Promise<void> {
  const { updateAdvisories } = await import("@bulwark/advisory/maintain");
  const { feedFetch } = await import("../feed-fetch.ts");
  const progress = progressLine(options.flags.has("quiet"));
  const { "osv-url": osvUrl, "kev-url": kevUrl, "epss-url": epssUrl, "ca-file": caFile } = options.text;
  const ecosystems = options.lists.ecosystems?.flatMap((list) => list.split(",").map((name) => name.trim()));
  const summary = await updateAdvisories({
    database: fileOf(options),
    catalog,
    fetch: await feedFetch(caFile),
    force: options.flags.has("force"),
    onProgress: progress.show,
    ...(ecosystems === undefined ? {} : { ecosystems }),
    ...(osvUrl === undefined ? {} : { osvUrl }),
    ...(kevUrl === undefined ? {} : { kevUrl }),
    ...(epssUrl === undefined ? {} : { epssUrl }),
  }).finally(() => progress.clear());
  for (const line of summary.lines) process.stdout.write(`${plain(line)}\n`);
}

async function status(options: ParsedOptions): Promise<void> {
  const file = fileOf(options);
  const database = openAdvisoryDatabase(file, catalog);
  try {
    process.stdout.write(`${plain(statusLines(file, database).join("\n"))}\n`);
  } finally {
    database.close();
  }
}

function statusLines(file: string, { info, status: read }: AdvisoryDatabase): string[] {
  const { ecosystems, sources, knownExploited, predictions }: DatabaseStatus = read();
  const seed = info.seedOnly ? ", the shipped seed alone: run bulwark db update for all published advisories" : "";
  const width = Math.max(0, ...ecosystems.map(({ ecosystem }) => ecosystem.length));
  return [
    file,
    `built ${info.built}, ${info.records} records${seed}`,
    `${knownExploited} known exploited flaws, ${predictions} exploit predictions`,
    ...ecosystems.map(({ ecosystem, records }) => `  ${ecosystem.padEnd(width)} ${records}`),
    ...sources.map(
      ({ name, updated, newest }) => `  feed ${name}: taken in ${updated}${newest === "" ? "" : `, newest ${newest}`}`,
    ),
  ];
}

async function push(options: ParsedOptions, words: readonly string[]): Promise<void> {
  const { pushDatabase } = await import("../database-artifact.ts");
  const digest = await pushDatabase(fileOf(options), oneReference("push", words), accessOf(options));
  process.stdout.write(`${words[0]}@${digest}\n`);
}

async function pull(options: ParsedOptions, words: readonly string[]): Promise<void> {
  const { pullDatabase } = await import("../database-artifact.ts");
  const file = fileOf(options);
  const info = await pullDatabase(file, oneReference("pull", words), accessOf(options));
  process.stdout.write(`${file}: ${info.records} records, built ${info.built}\n`);
}

function oneReference(action: string, words: readonly string[]): string {
  const [reference] = words;
  if (reference !== undefined && words.length === 1) return reference;
  throw new CliError(
    "USAGE",
    `db ${action}: give one reference`,
    `for example: bulwark db ${action} registry.example/security/advisories:latest`,
  );
}

function accessOf({ text, flags }: ParsedOptions): { readonly plainHttp: boolean; readonly caFile?: string } {
  const caFile = text["ca-file"];
  return { plainHttp: flags.has("plain-http"), ...(caFile === undefined ? {} : { caFile }) };
}
