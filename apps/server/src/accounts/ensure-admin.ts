import { addAccount, FIRST_TENANT, listAccounts, type Store } from "@bulwark/store";
import { auditSystem } from "../audit/audit.ts";
import { SecurityError } from "../security/errors.ts";
import { hashPassword } from "../security/passwords.ts";
import { randomPassword } from "./new-password.ts";

export const FIRST_LOGIN = "admin";
/** The operator's own choice is held to no more than what no password may fall below (SP 800-63B-4, section 3.1.1.2). */
const MIN_GIVEN = 8;

/**
 * Makes the first account, `admin`, where there is none yet. There is no default password: without a given one, a random one
 * is made.
 *
 * @returns the random password, to be shown once; undefined when the account was there, or the password was given
 * @throws SecurityError `PASSWORD_REFUSED`
 * @example const password = await ensureAdmin(store, new Date(), process.env.BULWARK_ADMIN_PASSWORD);
 */
export async function ensureAdmin(store: Store, now: Date, given?: string): Promise<string | undefined> {
  const some = await store.tenant(FIRST_TENANT, (db) => listAccounts(db, { limit: 1 }));
  if (some.length > 0) return undefined;
  if (given !== undefined && [...given].length < MIN_GIVEN) {
    const message = `the first password has fewer than ${MIN_GIVEN} characters`;
    throw new SecurityError("PASSWORD_REFUSED", message, "set a longer one, or none: then a random one is made");
  }
  const password = given ?? randomPassword();
  const passwordHash = await hashPassword(password);
  const made = await store.tenant(FIRST_TENANT, async (db) => {
    const account = { tenantId: FIRST_TENANT, login: FIRST_LOGIN, name: "Administrator", role: "admin", passwordHash };
    const added = await addAccount(db, account);
    // Another server that started at the same moment made it: its password is the one that counts.
    if (added === undefined) return false;
    await auditSystem(db, now, FIRST_TENANT, "account.create", `account/${added.id}`, {
      login: FIRST_LOGIN,
      role: "admin",
    });
    return true;
  });
  return made && given === undefined ? password : undefined;
}
