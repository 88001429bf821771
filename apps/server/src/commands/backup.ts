import { accessSync, chmodSync, constants, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CodedError } from "@bulwark/model";
import { forgetQueue, listTenants, openStore, readBackup, type Store, writeBackup } from "@bulwark/store";
import { startPostgres } from "@bulwark/store/embedded";
import { MAX_TENANTS } from "../scans/watch-advisories.ts";
import { parseArguments, usage } from "./arguments.ts";
import { dataDirectory, installedDirectory } from "./data-directory.ts";
import { BACKUP_HELP } from "./help.ts";

const TABLE = {
  data: { type: "string" },
  database: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;
const KEYS = "master-keys.json";

/** `bulwark backup FILE`. */
export async function backupCommand(args: readonly string[]): Promise<number> {
  return withDatabase("backup", args, async ({ url, file, directory }) => {
    const store = await openStore(url);
    try {
      const rows = await writeBackup(store, file, { extra: keysOf(directory), now: new Date() });
      process.stdout.write(`${file}: ${rows} rows. It holds the master keys: keep it as safe as a password\n`);
    } finally {
      await store.close();
    }
  });
}

/** `bulwark restore FILE`. */
export async function restoreCommand(args: readonly string[]): Promise<number> {
  return withDatabase("restore", args, async ({ url, file, directory }) => {
    const keys = join(directory, KEYS);
    if (existsSync(keys)) {
      throw new CodedError(
        "STORE_IN_USE",
        `${directory} is in use`,
        "restore into an empty data directory, with --data",
      );
    }
    const head = await readBackup(url, file);
    if (head.extra[KEYS] !== undefined) {
      writeFileSync(keys, head.extra[KEYS], { mode: 0o600 });
      chmodSync(keys, 0o600);
    }
    const store = await openStore(url);
    try {
      const tasks = await queueAgain(store);
      process.stdout.write(`restored as of ${head.made}; ${tasks} tasks go on when the server starts\n`);
    } finally {
      await store.close();
    }
  });
}

/** The queue is not part of a backup: workers find what was waiting or running by themselves. */
async function queueAgain(store: Store): Promise<number> {
  let count = 0;
  for (const { id } of await listTenants(store, { limit: MAX_TENANTS })) count += await store.tenant(id, forgetQueue);
  return count;
}

function keysOf(directory: string): Readonly<Record<string, string>> {
  const file = join(directory, KEYS);
  return existsSync(file) ? { [KEYS]: readFileSync(file, "utf8") } : {};
}

/** Before anything is made that has to be empty for the next try. */
function demandFile(file: string): void {
  try {
    accessSync(file, constants.R_OK);
    if (!statSync(file).isFile()) throw new Error("it is no file");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CodedError("FILE_UNREADABLE", `the backup ${file} cannot be read: ${why}`, "check its path", cause);
  }
}

interface Place {
  readonly url: string;
  readonly file: string;
  readonly directory: string;
}

async function withDatabase(
  command: string,
  args: readonly string[],
  work: (place: Place) => Promise<void>,
): Promise<number> {
  const { text, flags, positionals } = parseArguments(command, args, TABLE);
  if (flags.has("help")) {
    process.stdout.write(BACKUP_HELP);
    return 0;
  }
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw usage(command, "it takes one file");
  const directory = dataDirectory(text.data);
  if (command === "restore") demandFile(file);
  const given = text.database ?? process.env.DATABASE_URL;
  const isEmbedded = given === undefined || given === "";
  if (isEmbedded && command === "backup") installedDirectory(text.data);
  const postgres = isEmbedded ? await startPostgres(directory) : undefined;
  try {
    await work({ url: postgres?.url ?? given ?? "", file, directory });
    return 0;
  } finally {
    await postgres?.stop();
  }
}
