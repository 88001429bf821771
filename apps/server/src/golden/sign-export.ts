import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { readSetting, type Store, type TenantQueries, writeSetting, writeSettingOnce } from "@bulwark/store";
import type { SecretBox } from "../security/secret-box.ts";

const SETTING = "golden-signing-key";
const PURPOSE = "golden/signing-key";
/** Signatures of something else are none of a list. */
const PREFIX = "bulwark golden v1\0";

/** A list that was signed: Ed25519 over a prefix and the payload's UTF-8. */
export interface SignedExport {
  readonly payload: string;
  readonly signature: string;
  readonly publicKey: string;
}

/** Signs a list with the tenant's own key, which is made when it is first needed. */
export async function signExport(
  { store, secrets }: { readonly store: Store; readonly secrets: SecretBox },
  tenantId: number,
  payload: string,
): Promise<SignedExport> {
  const sealed = await store.tenant(tenantId, async (db) => {
    if ((await readSetting(db, SETTING)) === undefined) {
      const { privateKey } = generateKeyPairSync("ed25519");
      const text = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
      await writeSettingOnce(db, tenantId, SETTING, secrets.seal(tenantId, PURPOSE, text).toString("base64"));
    }
    return sealedKey(db);
  });
  if (sealed === undefined) throw new Error("a signing key was not kept");
  const key = createPrivateKey(await secrets.open(tenantId, PURPOSE, sealed));
  return {
    payload,
    signature: sign(null, Buffer.from(`${PREFIX}${payload}`, "utf8"), key).toString("base64"),
    publicKey: createPublicKey(key).export({ type: "spki", format: "pem" }).toString(),
  };
}

/** Seals the key again after the master key was changed. @returns how many were */
export async function resealSigningKey(db: TenantQueries, secrets: SecretBox, tenantId: number): Promise<number> {
  const sealed = await sealedKey(db);
  if (sealed === undefined || secrets.isCurrent(sealed)) return 0;
  const again = secrets.seal(tenantId, PURPOSE, await secrets.open(tenantId, PURPOSE, sealed));
  await writeSetting(db, tenantId, SETTING, again.toString("base64"));
  return 1;
}

async function sealedKey(db: TenantQueries): Promise<Buffer | undefined> {
  const kept = await readSetting(db, SETTING);
  return typeof kept === "string" ? Buffer.from(kept, "base64") : undefined;
}
