import { join } from "node:path";
import { openStore } from "@bulwark/store";
import { startPostgres } from "@bulwark/store/embedded";
import { resealSecrets } from "../security/reseal.ts";
import { openSecretBox, rotateMasterKey } from "../security/secret-box.ts";
import { parseArguments, usage } from "./arguments.ts";
import { dataDirectory, installedDirectory } from "./data-directory.ts";
import { KEYS_HELP } from "./help.ts";

const BROKEN_EXIT = 1;
const TABLE = {
  data: { type: "string" },
  database: { type: "string" },
  "kms-command": { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** `bulwark keys rotate`: a new master key, with which everything that is stored is sealed again. */
export async function keysCommand(args: readonly string[]): Promise<number> {
  const { text, flags, positionals } = parseArguments("keys", args, TABLE);
  if (flags.has("help")) {
    process.stdout.write(KEYS_HELP);
    return 0;
  }
  if (positionals.join(" ") !== "rotate") throw usage("keys", "it takes the word rotate");
  const directory = dataDirectory(text.data);
  const kmsCommand = text["kms-command"]?.split(" ").filter((word) => word !== "");
  const source = { file: join(directory, "master-keys.json"), ...(kmsCommand === undefined ? {} : { kmsCommand }) };
  const given = text.database ?? process.env.DATABASE_URL;
  const postgres = given === undefined || given === "" ? await startPostgres(installedDirectory(text.data)) : undefined;
  const store = await openStore(postgres?.url ?? given ?? "");
  try {
    const key = await rotateMasterKey(source);
    const { renewed, broken } = await resealSecrets(store, await openSecretBox(source));
    process.stdout.write(`the new master key ${key} seals ${renewed} stored secrets now\n`);
    for (const each of broken) process.stderr.write(`bulwark: not sealed again: ${each}\n`);
    return broken.length === 0 ? 0 : BROKEN_EXIT;
  } finally {
    await store.close();
    await postgres?.stop();
  }
}
