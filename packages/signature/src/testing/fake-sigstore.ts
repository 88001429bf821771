import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { initializeCA, initializeCTLog, initializeTLog } from "@sigstore/mock";
import { type Attachment, CERTIFICATE_ANNOTATION, LOG_ANNOTATION, SIGNATURE_ANNOTATION } from "../attachment.ts";

const LEGACY_ISSUER = "1.3.6.1.4.1.57264.1.1";
const P256 = { namedCurve: "prime256v1" } as const;

/** A certificate authority, a certificate log and a transparency log of a test's own. */
export interface FakeSigstore {
  /** Content of a `trusted_root.json` that trusts all three. */
  readonly trustedRoot: string;
  /** Signs bytes as cosign does without a key; `at` is when the certificate was issued. */
  signKeyless(
    payload: Uint8Array,
    as: { readonly identity: string; readonly issuer: string; readonly at?: Date },
  ): Promise<Keyless>;
}

/** What cosign writes into the annotations of a keyless signature. */
interface Keyless {
  readonly signature: Buffer;
  readonly annotations: Readonly<Record<string, string>>;
}

export async function fakeSigstore(): Promise<FakeSigstore> {
  const [caKeys, ctKeys, logKeys] = [0, 1, 2].map(() => generateKeyPairSync("ec", P256)) as [KeyPair, KeyPair, KeyPair];
  const ctLog = await initializeCTLog(ctKeys);
  const log = await initializeTLog("https://rekor.example", logKeys);
  const now = await initializeCA(caKeys, ctLog);
  const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
  const logKey = {
    rawBytes: log.publicKey.toString("base64"),
    keyDetails: "PKIX_ECDSA_P256_SHA_256",
    validFor: { start: "2020-01-01T00:00:00Z" },
  };
  const ctKey = { ...logKey, rawBytes: ctLog.publicKey.toString("base64") };
  const trustedRoot = JSON.stringify({
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: [
      {
        baseUrl: "https://rekor.example",
        hashAlgorithm: "SHA2_256",
        publicKey: logKey,
        logId: { keyId: sha256(log.publicKey).toString("base64") },
      },
    ],
    ctlogs: [
      {
        baseUrl: "https://ct.example",
        hashAlgorithm: "SHA2_256",
        publicKey: ctKey,
        logId: { keyId: Buffer.from(ctLog.logID.buffer).toString("base64") },
      },
    ],
    certificateAuthorities: [
      {
        subject: { commonName: "sigstore", organization: "test" },
        certChain: { certificates: [{ rawBytes: Buffer.from(now.rootCertificate.buffer).toString("base64") }] },
        validFor: { start: "2020-01-01T00:00:00Z" },
      },
    ],
    timestampAuthorities: [],
  });
  return {
    trustedRoot,
    async signKeyless(payload, { identity, issuer, at }) {
      // Same keys and name as the trusted authority: only the clock differs.
      const ca = at === undefined ? now : await initializeCA(caKeys, ctLog, at);
      const keys = generateKeyPairSync("ec", P256);
      const signature = sign("sha256", payload, keys.privateKey);
      const certificate = await ca.issueCertificate({
        publicKey: keys.publicKey.export({ type: "spki", format: "der" }),
        subjectAltName: identity,
        extensions: [{ oid: LEGACY_ISSUER, value: issuer, legacy: true }],
      });
      const pem = pemOf(Buffer.from(certificate.buffer, certificate.byteOffset, certificate.byteLength));
      const [entry] = Object.values(await log.log(hashedRekord(payload, signature, pem))) as LogEntry[];
      const bundle = {
        SignedEntryTimestamp: entry?.verification.signedEntryTimestamp,
        Payload: {
          body: entry?.body,
          integratedTime: entry?.integratedTime,
          logIndex: entry?.logIndex,
          logID: entry?.logID,
        },
      };
      return { signature, annotations: { [CERTIFICATE_ANNOTATION]: pem, [LOG_ANNOTATION]: JSON.stringify(bundle) } };
    },
  };
}

/** Rekor's answer, as far as it is used. */
interface LogEntry {
  readonly body: string;
  readonly integratedTime: number;
  readonly logIndex: number;
  readonly logID: string;
  readonly verification: { readonly signedEntryTimestamp: string };
}

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** Rekor's entry for a plain signature (Rekor, "hashedrekord", version 0.0.1). */
function hashedRekord(payload: Uint8Array, signature: Buffer, pem: string): object {
  return {
    apiVersion: "0.0.1",
    kind: "hashedrekord",
    spec: {
      data: { hash: { algorithm: "sha256", value: createHash("sha256").update(payload).digest("hex") } },
      signature: {
        content: signature.toString("base64"),
        publicKey: { content: Buffer.from(pem).toString("base64") },
      },
    },
  };
}

function pemOf(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** cosign's payload for an image. */
export function simplePayload(digest: string): Buffer {
  const image = { "docker-manifest-digest": digest };
  const type = "cosign container image signature";
  return Buffer.from(
    JSON.stringify({ critical: { identity: { "docker-reference": "" }, image, type }, optional: null }),
  );
}

/** A plain signature as it lies in a registry. */
export function simpleSigning(
  payload: Uint8Array,
  signature: Uint8Array,
  annotations: Readonly<Record<string, string>> = {},
): Attachment {
  const signed = { ...annotations, [SIGNATURE_ANNOTATION]: Buffer.from(signature).toString("base64") };
  return { kind: "simple-signing", bytes: payload, annotations: signed, place: "sha256-0.sig" };
}
