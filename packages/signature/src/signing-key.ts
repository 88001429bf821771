import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  scryptSync,
} from "node:crypto";
import { fieldsOf, textOf } from "@bulwark/model";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { SignatureError } from "./errors.ts";

/** How cosign stores private keys, under its old and its present name. */
const ENCRYPTED = /-----BEGIN ENCRYPTED (?:COSIGN|SIGSTORE) PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/;
const LABEL = "ENCRYPTED SIGSTORE PRIVATE KEY";
const SCRYPT = { N: 32_768, r: 8, p: 1 } as const;
const SCRYPT_MEMORY_BYTES = 256 * 1024 * 1024;
/** A key file may not ask for more work than this. */
const MAX_N = 1 << 20;
const KEY_BYTES = 32;
const NONCE_BYTES = 24;

/**
 * Makes a key pair as cosign makes it: ECDSA over P-256, the private half encrypted with scrypt and NaCl's secretbox.
 *
 * @example const { privateKey, publicKey } = generateSigningKey("correct horse");
 */
export function generateSigningKey(passphrase: string): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const salt = randomBytes(KEY_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const key = scryptSync(passphrase, salt, KEY_BYTES, { ...SCRYPT, maxmem: SCRYPT_MEMORY_BYTES });
  const ciphertext = xsalsa20poly1305(key, nonce).encrypt(privateKey.export({ type: "pkcs8", format: "der" }));
  const document = {
    kdf: { name: "scrypt", params: SCRYPT, salt: salt.toString("base64") },
    cipher: { name: "nacl/secretbox", nonce: nonce.toString("base64") },
    ciphertext: Buffer.from(ciphertext).toString("base64"),
  };
  return {
    privateKey: pemOf(LABEL, Buffer.from(JSON.stringify(document))),
    publicKey: String(publicKey.export({ type: "spki", format: "pem" })),
  };
}

function pemOf(label: string, content: Buffer): string {
  const lines = content.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/**
 * Reads a private key: cosign's, or any PEM that OpenSSL writes, encrypted or not.
 *
 * @param file for messages
 * @throws SignatureError `KEY_INVALID`
 */
export function readSigningKey(pem: string, passphrase: string, file: string): KeyObject {
  const encrypted = ENCRYPTED.exec(pem);
  try {
    if (encrypted === null) return createPrivateKey(passphrase === "" ? pem : { key: pem, passphrase });
    return createPrivateKey({ key: decrypt(encrypted[1] ?? "", passphrase), format: "der", type: "pkcs8" });
  } catch (cause) {
    throw new SignatureError(
      "KEY_INVALID",
      `${file} is no private key in PEM, or its passphrase is another`,
      "set BULWARK_KEY_PASSPHRASE, or make a key with bulwark sign --generate-key",
      cause,
    );
  }
}

function decrypt(base64: string, passphrase: string): Buffer {
  const { kdf, cipher, ciphertext } = fieldsOf(JSON.parse(Buffer.from(base64, "base64").toString("utf8")));
  const { name, params, salt } = fieldsOf(kdf);
  const { N, r, p } = fieldsOf(params);
  const { name: cipherName, nonce } = fieldsOf(cipher);
  if (name !== "scrypt" || cipherName !== "nacl/secretbox" || !(Number(N) <= MAX_N)) {
    throw new Error("the key is encrypted in an unknown way");
  }
  const work = { N: Number(N), r: Number(r), p: Number(p), maxmem: SCRYPT_MEMORY_BYTES };
  const key = scryptSync(passphrase, Buffer.from(textOf(salt), "base64"), KEY_BYTES, work);
  const box = xsalsa20poly1305(key, Buffer.from(textOf(nonce), "base64"));
  return Buffer.from(box.decrypt(Buffer.from(textOf(ciphertext), "base64")));
}

/** The public half of a private key, in PEM. */
export function publicKeyOf(key: KeyObject): string {
  return String(createPublicKey(key).export({ type: "spki", format: "pem" }));
}
