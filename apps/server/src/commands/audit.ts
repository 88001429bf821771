import { openStore } from "@bulwark/store";
import { startPostgres } from "@bulwark/store/embedded";
import { verifyAllAudits } from "../audit/verify-all.ts";
import { parseArguments, usage } from "./arguments.ts";
import { installedDirectory } from "./data-directory.ts";
import { AUDIT_HELP } from "./help.ts";

const BROKEN_EXIT = 1;
const TABLE = {
  data: { type: "string" },
  database: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** `bulwark audit verify`: whether the audit logs are as they were written. */
export async function auditCommand(args: readonly string[]): Promise<number> {
  const { text, flags, positionals } = parseArguments("audit", args, TABLE);
  if (flags.has("help")) {
    process.stdout.write(AUDIT_HELP);
    return 0;
  }
  if (positionals.join(" ") !== "verify") throw usage("audit", "it takes the word verify");
  const given = text.database ?? process.env.DATABASE_URL;
  const postgres = given === undefined || given === "" ? await startPostgres(installedDirectory(text.data)) : undefined;
  const store = await openStore(postgres?.url ?? given ?? "");
  let isIntact = true;
  try {
    for await (const { tenant, entries, intact, brokenAt, head } of verifyAllAudits(store)) {
      isIntact &&= intact;
      const state = intact ? `intact, ${entries} entries, last hash ${head.hash}` : `BROKEN at entry ${brokenAt}`;
      process.stdout.write(`${tenant}: ${state}\n`);
    }
  } finally {
    await store.close();
    await postgres?.stop();
  }
  return isIntact ? 0 : BROKEN_EXIT;
}
