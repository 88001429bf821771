import {
  claimKey,
  listSettings,
  readSetting,
  releaseKey,
  removeSetting,
  type TenantQueries,
  writeSetting,
} from "@bulwark/store";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { Role } from "../../accounts/schemas.ts";
import type { SecretBox } from "../../security/secret-box.ts";

const MAX_RULES = 100;
const PREFIX = "identity-provider/";

/** What an administrator says about an identity provider. */
const told = {
  name: Type.String({ minLength: 1, maxLength: 100, description: "on the button of the login page" }),
  issuer: Type.String({
    format: "uri",
    pattern: "^https?://",
    maxLength: 500,
    description: "as in its discovery document",
  }),
  clientId: Type.String({ minLength: 1, maxLength: 500 }),
  scopes: Type.Optional(
    Type.String({
      maxLength: 500,
      default: "openid profile email",
      description: "asked for, with `openid` among them",
    }),
  ),
  roleClaim: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: "claim that roles follow from: `groups`" }),
  ),
  roles: Type.Optional(
    Type.Array(
      Type.Object(
        { value: Type.String({ minLength: 1, maxLength: 500 }), role: Role },
        { additionalProperties: false },
      ),
      { maxItems: MAX_RULES, description: "which value of the claim gives which role; the most powerful one counts" },
    ),
  ),
  defaultRole: Type.Optional(Role),
  allowPrivate: Type.Optional(
    Type.Boolean({
      default: false,
      description: "it is on this machine or in a private network; then it may do without TLS",
    }),
  ),
};

export const ProviderBody = Type.Object(
  {
    ...told,
    clientSecret: Type.Optional(
      Type.String({ minLength: 1, maxLength: 2_000, description: "stored encrypted; left out of a change: stays" }),
    ),
  },
  { additionalProperties: false },
);

const Stored = Type.Object({ ...told, secret: Type.Optional(Type.String()) });

/** An identity provider of a tenant. */
export interface Provider extends Static<typeof Stored> {
  readonly id: string;
}

/** Where the encrypted client secret of a provider belongs. */
const purposeOf = (id: string) => `${PREFIX}${id}`;

export async function findProvider(db: TenantQueries, id: string): Promise<Provider | undefined> {
  return providerOf(id, await readSetting(db, `${PREFIX}${id}`));
}

export async function listProviders(db: TenantQueries): Promise<readonly Provider[]> {
  const rows = await listSettings(db, PREFIX);
  return rows.flatMap(({ name, value }) => providerOf(name.slice(PREFIX.length), value) ?? []);
}

/** Stores a provider, new or changed. */
export async function keepProvider(
  db: TenantQueries,
  secrets: SecretBox,
  tenantId: number,
  id: string,
  body: Static<typeof ProviderBody>,
): Promise<Provider> {
  const { clientSecret, ...rest } = body;
  const before = await findProvider(db, id);
  if (before === undefined) await claimKey(db, "oidc", id, tenantId);
  const sealed =
    clientSecret === undefined ? undefined : secrets.seal(tenantId, purposeOf(id), clientSecret).toString("base64");
  const secret = sealed ?? before?.secret;
  const stored = { ...rest, ...(secret === undefined ? {} : { secret }) };
  await writeSetting(db, tenantId, `${PREFIX}${id}`, stored);
  return { id, ...stored };
}

export async function removeProvider(db: TenantQueries, id: string): Promise<void> {
  await removeSetting(db, `${PREFIX}${id}`);
  await releaseKey(db, "oidc", id);
}

/** The client secret; undefined for a public client. */
export async function clientSecretOf(
  secrets: SecretBox,
  tenantId: number,
  provider: Provider,
): Promise<string | undefined> {
  if (provider.secret === undefined) return undefined;
  return secrets.open(tenantId, purposeOf(provider.id), Buffer.from(provider.secret, "base64"));
}

/** Seals the client secrets of the tenant's providers with the newest key. @returns how many were sealed with another */
export async function resealProviders(db: TenantQueries, secrets: SecretBox, tenantId: number): Promise<number> {
  let count = 0;
  for (const { id, ...stored } of await listProviders(db)) {
    if (stored.secret === undefined || secrets.isCurrent(Buffer.from(stored.secret, "base64"))) continue;
    const plain = (await clientSecretOf(secrets, tenantId, { id, ...stored })) ?? "";
    const secret = secrets.seal(tenantId, purposeOf(id), plain).toString("base64");
    await writeSetting(db, tenantId, `${PREFIX}${id}`, { ...stored, secret });
    count++;
  }
  return count;
}

function providerOf(id: string, value: unknown): Provider | undefined {
  return Value.Check(Stored, value) ? { id, ...value } : undefined;
}
