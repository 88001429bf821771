// The certificate library injects its parts by metadata, which it wants to be there first.
import "reflect-metadata";
import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signBytes,
  webcrypto,
  X509Certificate,
} from "node:crypto";
import { isIP } from "node:net";
import { FIRST_TENANT, readSetting, type Store, writeSetting, writeSettingOnce } from "@bulwark/store";
import * as x509 from "@peculiar/x509";
import { privateKeyText } from "../security/key-text.ts";
import { CERTIFICATE_KEYS, makeAuthority, newSerial } from "../security/make-authority.ts";
import type { SecretBox } from "../security/secret-box.ts";
import { GatewayError } from "./errors.ts";

const SETTING = "sensor-authority";
const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
/** A sensor asks for the next one when a third of it is left. */
const NODE_DAYS = 30;
const GATEWAY_DAYS = 90;
/**
 * Name in every gateway's certificate: sensors ask for it whatever address they reach the gateway by, since they trust this
 * authority and no other.
 */
export const GATEWAY_NAME = "gateway.bulwark.internal";
/** What signatures are over, before the thing itself: none can be taken for one of something else. */
const PROGRAM_PREFIX = Buffer.from("bulwark sensor v1\0", "utf8");
const ORDER_PREFIX = Buffer.from("bulwark order v1\0", "utf8");

/** Certifies nodes and gateways of this installation, and signs orders. */
export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** SHA-256 of the certificate, hexadecimal: nodes know the authority by it before they enrol. */
  readonly fingerprint: string;
  /** Ed25519, raw. */
  readonly orderKey: Buffer;
  /**
   * Certifies a node for 30 days.
   *
   * @param request PKCS #10 in PEM; only its key is taken over
   * @throws GatewayError `BAD_REQUEST` for one that is none, or that its own key did not sign
   */
  certifyNode(request: string, node: NodeName, now: Date): Promise<{ readonly pem: string; readonly serial: string }>;
  /**
   * A certificate for a gateway, with its key, both PEM; the certificate is followed by the authority's.
   *
   * @param hosts names and addresses that it holds for beside the common name
   */
  certifyGateway(now: Date, hosts?: readonly string[]): Promise<{ readonly key: string; readonly cert: string }>;
  /** Whose certificate it is; undefined when it is not of this authority or its time is up. */
  readNode(certificate: Buffer, now: Date): (NodeName & { readonly serial: string }) | undefined;
  /** Ed25519 over the SHA-256 of a sensor's program, which nodes ask for before they run it. */
  signProgram(sha256: Uint8Array): Buffer;
  /** Ed25519 over the order, as the contract says. */
  signOrder(order: Uint8Array): Buffer;
}

/** What a node's certificate says. */
interface NodeName {
  readonly uid: string;
  readonly tenantId: number;
}

/** What is kept: the keys only sealed. */
interface Stored {
  readonly certificate: string;
  readonly key: string;
  readonly orderKey: string;
}

/** Opens the authority of this installation; the first server makes it. */
export async function openAuthority(store: Store, secrets: SecretBox, now: Date): Promise<Authority> {
  if ((await readStored(store)) === undefined) {
    const made = await makeStored(secrets, now);
    await store.tenant(FIRST_TENANT, (db) => writeSettingOnce(db, FIRST_TENANT, SETTING, made));
  }
  const { certificate, key, orderKey } = (await readStored(store))!;
  return authority(certificate, await openKey(secrets, "key", key), await openKey(secrets, "orderKey", orderKey));
}

/** Seals the keys with the newest master key. @returns how many were sealed with an older one */
export async function resealAuthority(store: Store, secrets: SecretBox): Promise<number> {
  const stored = await readStored(store);
  if (stored === undefined || secrets.isCurrent(Buffer.from(stored.key, "base64"))) return 0;
  const key = sealKey(secrets, "key", await openKey(secrets, "key", stored.key));
  const orderKey = sealKey(secrets, "orderKey", await openKey(secrets, "orderKey", stored.orderKey));
  await store.tenant(FIRST_TENANT, (db) => writeSetting(db, FIRST_TENANT, SETTING, { ...stored, key, orderKey }));
  return 2;
}

async function readStored(store: Store): Promise<Stored | undefined> {
  return (await store.tenant(FIRST_TENANT, (db) => readSetting(db, SETTING))) as Stored | undefined;
}

function sealKey(secrets: SecretBox, name: string, text: string): string {
  return secrets.seal(FIRST_TENANT, `${SETTING}/${name}`, text).toString("base64");
}

function openKey(secrets: SecretBox, name: string, sealed: string): Promise<string> {
  return secrets.open(FIRST_TENANT, `${SETTING}/${name}`, Buffer.from(sealed, "base64"));
}

async function makeStored(secrets: SecretBox, now: Date): Promise<Stored> {
  const { cert, key } = await makeAuthority("Bulwark sensors", AUTHORITY_DAYS, now);
  const orderKey = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return {
    certificate: cert,
    key: sealKey(secrets, "key", key),
    orderKey: sealKey(secrets, "orderKey", orderKey),
  };
}

async function authority(certificate: string, keyText: string, orderText: string): Promise<Authority> {
  const own = new X509Certificate(certificate);
  const issuer = new x509.X509Certificate(certificate);
  const signingKey = await importKey(createPrivateKey(keyText));
  const orderKey = createPrivateKey(orderText);
  const certify = (options: {
    readonly subject: x509.JsonName;
    readonly publicKey: x509.PublicKey;
    readonly days: number;
    readonly extensions: x509.Extension[];
    readonly now: Date;
  }) =>
    x509.X509CertificateGenerator.create(
      {
        serialNumber: newSerial(),
        subject: options.subject,
        issuer: issuer.subject,
        notBefore: new Date(options.now.getTime() - DAY_MS),
        notAfter: new Date(options.now.getTime() + options.days * DAY_MS),
        publicKey: options.publicKey,
        signingKey,
        signingAlgorithm: CERTIFICATE_KEYS,
        extensions: [new x509.BasicConstraintsExtension(false, undefined, true), ...options.extensions],
      },
      webcrypto,
    );
  return {
    certificate,
    fingerprint: own.fingerprint256.replaceAll(":", "").toLowerCase(),
    orderKey: rawPublicKey(orderKey),
    async certifyNode(request, { uid, tenantId }, now) {
      const made = await certify({
        subject: [{ CN: [uid] }, { OU: [String(tenantId)] }, { O: ["Bulwark"] }],
        publicKey: await keyOfRequest(request),
        days: NODE_DAYS,
        extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
        now,
      });
      return { pem: made.toString("pem"), serial: made.serialNumber };
    },
    async certifyGateway(now, hosts = []) {
      const keys = await webcrypto.subtle.generateKey(CERTIFICATE_KEYS, true, ["sign", "verify"]);
      const made = await certify({
        subject: [{ CN: [GATEWAY_NAME] }, { O: ["Bulwark"] }],
        publicKey: new x509.PublicKey(await webcrypto.subtle.exportKey("spki", keys.publicKey)),
        days: GATEWAY_DAYS,
        extensions: [
          new x509.SubjectAlternativeNameExtension([
            { type: "dns", value: GATEWAY_NAME },
            ...hosts.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value })),
          ]),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        ],
        now,
      });
      return { key: await privateKeyText(keys.privateKey), cert: `${made.toString("pem")}\n${certificate}` };
    },
    readNode: (der, now) => readNode(der, own, now),
    signProgram: (sha256) => signBytes(null, Buffer.concat([PROGRAM_PREFIX, sha256]), orderKey),
    signOrder: (order) => signBytes(null, Buffer.concat([ORDER_PREFIX, order]), orderKey),
  };
}

async function importKey(key: KeyObject) {
  const bytes = key.export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", bytes, CERTIFICATE_KEYS, false, ["sign"]);
}

function rawPublicKey(key: KeyObject): Buffer {
  const { x = "" } = key.export({ format: "jwk" });
  return Buffer.from(x, "base64url");
}

async function keyOfRequest(request: string): Promise<x509.PublicKey> {
  try {
    const parsed = new x509.Pkcs10CertificateRequest(request);
    if (await parsed.verify(webcrypto)) return parsed.publicKey;
  } catch (cause) {
    throw new GatewayError("BAD_REQUEST", "the certificate request cannot be read", "send PKCS #10 in PEM", cause);
  }
  throw new GatewayError("BAD_REQUEST", "the certificate request is not signed by its own key");
}

function readNode(der: Buffer, issuer: X509Certificate, now: Date) {
  const certificate = new X509Certificate(der);
  if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) return undefined;
  if (certificate.validFromDate > now || certificate.validToDate < now) return undefined;
  const { CN, OU } = certificate.toLegacyObject().subject;
  if (typeof CN !== "string" || typeof OU !== "string" || !/^\d{1,9}$/.test(OU)) return undefined;
  return { uid: CN, tenantId: Number(OU), serial: certificate.serialNumber.toLowerCase() };
}
