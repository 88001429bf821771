// The certificate library injects its parts by metadata, which it wants to be there first.
import "reflect-metadata";
import { webcrypto, X509Certificate } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { privateKeyText } from "../security/key-text.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const VALID_DAYS = 825;
const DAY_MS = 24 * 60 * 60 * 1_000;
/** Renewed when less than this is left. */
const RENEW_DAYS = 60;

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** SHA-256 of the certificate, for people to compare with what their browser shows. */
  readonly fingerprint: string;
}

/**
 * The server's own certificate: made on first use for all names and addresses of this machine, and again before it ends.
 * Who has a certificate of an authority gives its files instead.
 */
export async function ownCertificate(directory: string, now: Date): Promise<Certificate> {
  const files = { key: join(directory, "tls.key"), cert: join(directory, "tls.crt") };
  if (!existsSync(files.cert) || isEnding(readFileSync(files.cert, "utf8"), now)) {
    const made = await makeCertificate(now);
    writeFileSync(files.key, made.key, { mode: 0o600 });
    writeFileSync(files.cert, made.cert, { mode: 0o644 });
  }
  const cert = readFileSync(files.cert, "utf8");
  return { key: readFileSync(files.key, "utf8"), cert, fingerprint: fingerprintOf(cert) };
}

/** Hexadecimal, in capitals, with colons, as browsers show it. */
function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}

function isEnding(pem: string, now: Date): boolean {
  return new X509Certificate(pem).validToDate.getTime() - now.getTime() < RENEW_DAYS * DAY_MS;
}

async function makeCertificate(now: Date): Promise<Pick<Certificate, "key" | "cert">> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const addresses = Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address));
  const names: x509.JsonGeneralNames = [
    { type: "dns", value: "localhost" },
    { type: "dns", value: hostname() },
    ...[...new Set(addresses)].map((value) => ({ type: "ip" as const, value: value.replace(/%.*$/, "") })),
  ];
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [hostname()] }, { O: ["Bulwark"] }],
      notBefore: new Date(now.getTime() - DAY_MS),
      notAfter: new Date(now.getTime() + VALID_DAYS * DAY_MS),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.SubjectAlternativeNameExtension(names),
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ],
    },
    webcrypto,
  );
  return {
    key: await privateKeyText(keys.privateKey),
    cert: certificate.toString("pem"),
  };
}
