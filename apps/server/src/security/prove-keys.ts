import { FIRST_TENANT, readSetting, type Store, writeSetting } from "@bulwark/store";
import { SecurityError } from "./errors.ts";
import type { SecretBox } from "./secret-box.ts";

const NAME = "master-key-proof";
const TEXT = "opens with the keys of this installation";

/**
 * Refuses a server that has other master keys than the one that wrote this database first, before it seals anything that the
 * others could not open. Call it at each start.
 *
 * @throws SecurityError `KEY_UNKNOWN`, `SECRET_BROKEN`
 */
export async function proveKeys(store: Store, secrets: SecretBox): Promise<void> {
  const proof = await store.tenant(FIRST_TENANT, (db) => readSetting(db, NAME));
  const sealed = typeof proof === "string" ? Buffer.from(proof, "base64") : undefined;
  if (sealed !== undefined && (await secrets.open(FIRST_TENANT, NAME, sealed)) !== TEXT) {
    throw new SecurityError("SECRET_BROKEN", "the proof of the master keys was changed");
  }
  // Once rotated, the proof follows, so that a server left with the old keys alone is noticed as well.
  if (sealed !== undefined && secrets.isCurrent(sealed)) return;
  const renewed = secrets.seal(FIRST_TENANT, NAME, TEXT).toString("base64");
  await store.tenant(FIRST_TENANT, (db) => writeSetting(db, FIRST_TENANT, NAME, renewed));
}
