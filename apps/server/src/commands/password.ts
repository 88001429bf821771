import { changeAccount, endSessions, findAccountBy, openStore, removeTotp, tenantOf } from "@bulwark/store";
import { startPostgres } from "@bulwark/store/embedded";
import { randomPassword } from "../accounts/new-password.ts";
import { auditSystem } from "../audit/audit.ts";
import { notFound } from "../errors.ts";
import { hashPassword } from "../security/passwords.ts";
import { parseArguments, usage } from "./arguments.ts";
import { installedDirectory } from "./data-directory.ts";
import { PASSWORD_HELP } from "./help.ts";

const TABLE = {
  data: { type: "string" },
  database: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** `bulwark password LOGIN`: a way back in for who runs the machine and lost the password. */
export async function passwordCommand(args: readonly string[]): Promise<number> {
  const { text, flags, positionals } = parseArguments("password", args, TABLE);
  if (flags.has("help")) {
    process.stdout.write(PASSWORD_HELP);
    return 0;
  }
  const [login] = positionals;
  if (login === undefined || positionals.length > 1) throw usage("password", "it takes one login");
  const given = text.database ?? process.env.DATABASE_URL;
  const postgres = given === undefined || given === "" ? await startPostgres(installedDirectory(text.data)) : undefined;
  const store = await openStore(postgres?.url ?? given ?? "");
  try {
    const tenantId = await tenantOf(store.system, "login", login.toLowerCase());
    if (tenantId === undefined) throw notFound("login", login);
    const password = randomPassword();
    const passwordHash = await hashPassword(password);
    await store.tenant(tenantId, async (db) => {
      const account = await findAccountBy(db, "login", login.toLowerCase());
      if (account === undefined) throw notFound("login", login);
      await changeAccount(db, account.id, { passwordHash, enabled: true });
      await removeTotp(db, account.id);
      await endSessions(db, account.id);
      await auditSystem(db, new Date(), tenantId, "account.reset", `account/${account.id}`, { login: account.login });
    });
    process.stdout.write(`  login     ${login}\n  password  ${password}\n`);
    return 0;
  } finally {
    await store.close();
    await postgres?.stop();
  }
}
