// The certificate library injects its parts by metadata, which it wants to be there first.
import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { privateKeyText } from "./key-text.ts";

/** ECDSA on P-256, which every client speaks. */
export const CERTIFICATE_KEYS = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;
const SERIAL_BYTES = 16;

/**
 * Makes an authority that signs certificates of ends and no further authorities. It counts from a day ago on: other clocks may be behind.
 *
 * @param name its common name
 * @returns both PEM
 */
export async function makeAuthority(
  name: string,
  days: number,
  now: Date,
): Promise<{ readonly cert: string; readonly key: string }> {
  const keys = await webcrypto.subtle.generateKey(CERTIFICATE_KEYS, true, ["sign", "verify"]);
  const made = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: newSerial(),
      name: [{ CN: [name] }, { O: ["Bulwark"] }],
      notBefore: new Date(now.getTime() - DAY_MS),
      notAfter: new Date(now.getTime() + days * DAY_MS),
      keys,
      signingAlgorithm: CERTIFICATE_KEYS,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { cert: made.toString("pem"), key: await privateKeyText(keys.privateKey) };
}

/** RFC 5280, section 4.1.2.2: positive, at most 20 octets. */
export function newSerial(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString("hex");
}
