import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { SecurityError } from "./errors.ts";
import { addMasterKey, type KeySource, loadMasterKeys, type MasterKey } from "./master-keys.ts";

const ALGORITHM = "aes-256-gcm";
const FORMAT = 1;
const KEY_ID_BYTES = 8;
/** NIST SP 800-38D, section 8.2: 96 bits; drawn at random, they serve for 2^32 secrets of one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES;
const MAX_SECRET_BYTES = 64 * 1024;

/**
 * Keeps secrets at rest (AES-256-GCM, NIST SP 800-38D). A sealed secret opens for the tenant and the purpose that it was
 * sealed for only, so that a row copied to another tenant or another place is refused.
 *
 * `purpose` names the place down to the row.
 * @example const sealed = box.seal(tenantId, `registry/${id}`, password);
 *          (await box.open(tenantId, `registry/${id}`, sealed)) === password
 */
export interface SecretBox {
  /** Seals with the newest key. */
  seal(tenantId: number, purpose: string, plaintext: string): Buffer;
  /**
   * What a key sealed that was added since is opened with the key file as it is now.
   *
   * @throws SecurityError `KEY_UNKNOWN`, `SECRET_BROKEN`
   */
  open(tenantId: number, purpose: string, sealed: Buffer): Promise<string>;
  /** Whether the newest key sealed it; what an older one sealed is to be sealed again after a rotation. */
  isCurrent(sealed: Buffer): boolean;
  /** Reads the key file again: a key that was added seals from then on. */
  refresh(): Promise<void>;
}

/**
 * Opens the master keys of this installation; makes the first one where there is none.
 *
 * @example const box = await openSecretBox({ file: join(data, "master-keys.json") });
 * @throws SecurityError `KEY_FILE_UNSAFE`, `KEY_FILE_BROKEN`, `KMS_FAILED`
 */
export async function openSecretBox(source: KeySource): Promise<SecretBox> {
  return secretBox(source, await loadMasterKeys(source));
}

/**
 * Adds a master key. Servers that run open with it at once, and seal with it after their next `refresh`. Older keys still open
 * what they sealed.
 *
 * @returns the id of the new key
 */
export async function rotateMasterKey(source: KeySource): Promise<string> {
  return (await addMasterKey(source)).id;
}

function secretBox(source: KeySource, loaded: readonly MasterKey[]): SecretBox {
  let keys = loaded;
  const refresh = async () => {
    keys = await loadMasterKeys(source);
  };
  const keyOf = (id: string) => keys.find((key) => key.id === id);
  return {
    refresh,
    seal(tenantId, purpose, plaintext) {
      const bytes = Buffer.from(plaintext, "utf8");
      if (bytes.length > MAX_SECRET_BYTES) throw new RangeError(`a secret has at most ${MAX_SECRET_BYTES} bytes`);
      const newest = keys.at(-1)!;
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, newest.key, nonce, { authTagLength: TAG_BYTES });
      const head = Buffer.concat([Buffer.from([FORMAT]), Buffer.from(newest.id, "hex"), nonce]);
      cipher.setAAD(placeOf(head, tenantId, purpose));
      return Buffer.concat([head, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    },
    async open(tenantId, purpose, sealed) {
      if (sealed.length < HEAD_BYTES + TAG_BYTES || sealed[0] !== FORMAT) throw broken(purpose);
      const id = keyIdOf(sealed);
      if (keyOf(id) === undefined) await refresh();
      const key = keyOf(id);
      if (key === undefined) throw unknownKey(id, purpose, source.file);
      const head = sealed.subarray(0, HEAD_BYTES);
      const decipher = createDecipheriv(ALGORITHM, key.key, head.subarray(-NONCE_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAAD(placeOf(head, tenantId, purpose));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      try {
        const text = decipher.update(sealed.subarray(HEAD_BYTES, -TAG_BYTES));
        return Buffer.concat([text, decipher.final()]).toString("utf8");
      } catch (cause) {
        throw broken(purpose, cause);
      }
    },
    isCurrent: (sealed) => sealed.length >= HEAD_BYTES && keyIdOf(sealed) === keys.at(-1)?.id,
  };
}

function keyIdOf(sealed: Buffer): string {
  return sealed.subarray(1, 1 + KEY_ID_BYTES).toString("hex");
}

/** The associated data. JSON keeps the parts apart, whatever they hold. */
function placeOf(head: Buffer, tenantId: number, purpose: string): Buffer {
  return Buffer.from(JSON.stringify(["bulwark secret", head.toString("hex"), tenantId, purpose]), "utf8");
}

function broken(purpose: string, cause?: unknown): SecurityError {
  const next = "enter the secret again; if nobody restored or moved rows of the database, find out who changed it";
  return new SecurityError(
    "SECRET_BROKEN",
    `the stored secret of ${purpose} was changed or belongs elsewhere`,
    next,
    cause,
  );
}

function unknownKey(id: string, purpose: string, file: string): SecurityError {
  return new SecurityError(
    "KEY_UNKNOWN",
    `the secret of ${purpose} was sealed with the master key ${id}, which ${file} does not hold`,
    "give all servers of this database the same key file, restored from the backup if it was lost",
  );
}
