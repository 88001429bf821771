import {
  type Account,
  addAccount,
  changeAccount,
  endSessions,
  findAccountBy,
  type TenantQueries,
} from "@bulwark/store";
import type { FastifyRequest } from "fastify";
import { ROLES, type Role } from "../../access.ts";
import { auditAs } from "../../audit/audit.ts";
import { sha256 } from "../../security/random-secret.ts";
import type { Provider } from "./provider.ts";
import type { Identity } from "./relying-party.ts";

const MAX_LOGIN = 100;
const MAX_NAME = 200;
const MAX_SUBJECT = 255;

/** Why somebody whom the provider knows does not get in. */
export type Refusal = "NO_ROLE" | "DISABLED";

/**
 * The account of an identity, made on its first login. It is found by the provider's own name for the person and never by
 * login or e-mail address: whoever controls a provider's addresses must not become somebody else here. The role follows the
 * provider's claims at every login.
 */
export async function acceptIdentity(
  db: TenantQueries,
  request: FastifyRequest,
  tenantId: number,
  provider: Provider,
  identity: Identity,
): Promise<Account | Refusal> {
  if (identity.subject === "" || identity.subject.length > MAX_SUBJECT) return "NO_ROLE";
  const key = `${provider.id}:${identity.subject}`;
  const known = await findAccountBy(db, "identity", key);
  const role = roleOf(provider, identity.claims);
  const actor = { tenantId, name: known?.login ?? provider.name, accountId: known?.id ?? null };
  const refuse = async (refusal: Refusal) => {
    const subject = known === undefined ? "account/unknown" : `account/${known.id}`;
    if (known !== undefined) await endSessions(db, known.id);
    await auditAs(db, request, actor, "session.refuse", subject, { provider: provider.id, why: refusal });
    return refusal;
  };
  if (known?.enabled === false) return refuse("DISABLED");
  if (role === undefined) return refuse("NO_ROLE");
  if (known === undefined) return makeAccount(db, request, tenantId, provider, key, role, identity.claims);
  if (known.role === role) return known;
  await endSessions(db, known.id);
  const changed = await changeAccount(db, known.id, { role });
  await auditAs(db, request, actor, "account.change", `account/${known.id}`, { role, provider: provider.id });
  return changed ?? known;
}

async function makeAccount(
  db: TenantQueries,
  request: FastifyRequest,
  tenantId: number,
  provider: Provider,
  identity: string,
  role: Role,
  claims: Identity["claims"],
): Promise<Account> {
  const login = loginOf(claims, identity);
  const name = textOf(claims.name)?.slice(0, MAX_NAME) ?? login;
  const account = { tenantId, name, role, identity };
  const made =
    (await addAccount(db, { ...account, login })) ??
    (await addAccount(db, { ...account, login: `${login}+${sha256(identity).slice(0, 12)}` }));
  if (made === undefined) throw new Error(`no login is left for ${identity}`);
  const actor = { tenantId, name: made.login, accountId: made.id };
  const told = { login: made.login, name, role, provider: provider.id };
  await auditAs(db, request, actor, "account.create", `account/${made.id}`, told);
  return made;
}

/** The most powerful role that a value of the claim gives; the default one where none does. */
function roleOf(provider: Provider, claims: Identity["claims"]): Role | undefined {
  const claim = provider.roleClaim === undefined ? undefined : claims[provider.roleClaim];
  const values = Array.isArray(claim) ? claim : [claim];
  const given = (provider.roles ?? []).filter(({ value }) => values.includes(value)).map(({ role }) => role);
  return ROLES.find((role) => given.includes(role)) ?? provider.defaultRole;
}

/** A login from what the provider says, in our letters. */
function loginOf(claims: Identity["claims"], identity: string): string {
  const wanted = textOf(claims.preferred_username) ?? textOf(claims.email) ?? "";
  const login = wanted
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^a-z0-9._@+-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, MAX_LOGIN);
  return login === "" ? `sso-${sha256(identity).slice(0, 12)}` : login;
}

/** Text that the database can hold, without control characters. */
function textOf(claim: unknown): string | undefined {
  if (typeof claim !== "string") return undefined;
  const text = claim
    .toWellFormed()
    .replace(/\p{Cc}+/gu, " ")
    .trim();
  return text === "" ? undefined : text;
}
