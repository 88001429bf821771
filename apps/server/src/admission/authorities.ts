// The certificate library injects its parts by metadata, which it wants to be there first.
import "reflect-metadata";
import { createPrivateKey, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { privateKeyText } from "../security/key-text.ts";
import { CERTIFICATE_KEYS, makeAuthority, newSerial } from "../security/make-authority.ts";
import type { Certificate } from "./webhook.ts";

const DAY_MS = 86_400_000;
const NAME = "Bulwark admission";
const AUTHORITY_DAYS = 365;
const SERVING_DAYS = 60;
/** Clocks of API servers may be behind ours. */
const BACKDATE_MS = DAY_MS;
/** A new authority signs only after API servers had this long to learn of it. */
export const TRUST_MS = 120_000;
/** An old one stays trusted until every replica has surely changed its certificate. */
export const RETIRE_MS = 600_000;

/** An authority of the webhook. */
interface OwnAuthority extends Certificate {
  /** RFC 3339; since when the webhook's configurations name it, empty before. */
  readonly trustedSince: string;
  /** RFC 3339; since when another one signs, empty while it does. */
  readonly idleSince: string;
}

/** What all replicas share: the authorities, the oldest first, and the certificate that is served. */
export interface ServingState {
  readonly authorities: readonly OwnAuthority[];
  /** Signed by the newest authority that is trusted. */
  readonly serving: Certificate;
}

/** PEM of every authority that API servers are to trust. */
export function bundleOf({ authorities }: ServingState): string {
  return authorities.map(({ cert }) => `${cert.trim()}\n`).join("");
}

/** The first state: an authority and a certificate by it. */
export async function firstState(names: readonly string[], now: Date): Promise<ServingState> {
  const authority = { ...(await makeAuthority(NAME, AUTHORITY_DAYS, now)), trustedSince: "", idleSince: "" };
  return { authorities: [authority], serving: await certify(authority, names, now) };
}

/**
 * The state that is to follow; the same object where nothing is to be done. Each step leaves the certificate that is served
 * trusted: a new authority is made known before it signs, and an old one is forgotten after it has stopped to.
 */
export async function nextState(state: ServingState, names: readonly string[], now: Date): Promise<ServingState> {
  const { authorities, serving } = state;
  const newest = authorities.at(-1);
  if (newest === undefined) return firstState(names, now);
  if (isPast(newest.cert, 1 / 2, now)) {
    const made = { ...(await makeAuthority(NAME, AUTHORITY_DAYS, now)), trustedSince: "", idleSince: "" };
    return { ...state, authorities: [...authorities, made] };
  }
  const signer = authorities.findLast(({ trustedSince }) => isOlder(trustedSince, TRUST_MS, now)) ?? authorities[0];
  if (signer === undefined) return state;
  if (!isSignedBy(serving, signer) || isPast(serving.cert, 2 / 3, now) || !holdsFor(serving, names)) {
    const idle = authorities.map((each) =>
      each === signer || each.idleSince !== "" || authorities.indexOf(each) > authorities.indexOf(signer)
        ? each
        : { ...each, idleSince: now.toISOString() },
    );
    return { authorities: idle, serving: await certify(signer, names, now) };
  }
  const left = authorities.filter(({ idleSince }) => !isOlder(idleSince, RETIRE_MS, now));
  return left.length === authorities.length ? state : { ...state, authorities: left };
}

/** The state once the configurations name all its authorities. */
export function trusted(state: ServingState, now: Date): ServingState {
  if (state.authorities.every(({ trustedSince }) => trustedSince !== "")) return state;
  const authorities = state.authorities.map((each) =>
    each.trustedSince === "" ? { ...each, trustedSince: now.toISOString() } : each,
  );
  return { ...state, authorities };
}

function isOlder(since: string, ms: number, now: Date): boolean {
  return since !== "" && now.getTime() - Date.parse(since) >= ms;
}

/** Whether a part of a certificate's life is over. */
function isPast(pem: string, part: number, now: Date): boolean {
  const { notBefore, notAfter } = new x509.X509Certificate(pem);
  const life = notAfter.getTime() - notBefore.getTime();
  return now.getTime() >= notBefore.getTime() + life * part;
}

function isSignedBy({ cert }: Certificate, authority: Certificate): boolean {
  const [issued, issuer] = [new x509.X509Certificate(cert), new x509.X509Certificate(authority.cert)];
  const key = issuer.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  return key !== undefined && issued.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId === key;
}

function holdsFor({ cert }: Certificate, names: readonly string[]): boolean {
  const held = new x509.X509Certificate(cert).getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  return names.every((name) => held.some(({ value }) => value === name));
}

async function certify(authority: Certificate, names: readonly string[], now: Date): Promise<Certificate> {
  const issuer = new x509.X509Certificate(authority.cert);
  const bytes = createPrivateKey(authority.key).export({ type: "pkcs8", format: "der" });
  const signingKey = await webcrypto.subtle.importKey("pkcs8", bytes, CERTIFICATE_KEYS, false, ["sign"]);
  const keys = await webcrypto.subtle.generateKey(CERTIFICATE_KEYS, true, ["sign", "verify"]);
  const publicKey = new x509.PublicKey(await webcrypto.subtle.exportKey("spki", keys.publicKey));
  const made = await x509.X509CertificateGenerator.create(
    {
      serialNumber: newSerial(),
      subject: [{ CN: [names[0] ?? "bulwark-admission"] }, { O: ["Bulwark"] }],
      issuer: issuer.subject,
      notBefore: new Date(now.getTime() - BACKDATE_MS),
      notAfter: new Date(now.getTime() + SERVING_DAYS * DAY_MS),
      ...{ publicKey, signingKey, signingAlgorithm: CERTIFICATE_KEYS },
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns" as const, value }))),
        await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { cert: made.toString("pem"), key: await privateKeyText(keys.privateKey) };
}
