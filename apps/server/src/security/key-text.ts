import { type webcrypto as Crypto, webcrypto } from "node:crypto";

/** A private key as PEM (RFC 7468, section 10). */
export async function privateKeyText(key: Crypto.CryptoKey): Promise<string> {
  const text = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64");
  const lines = text.match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}
