import { createHash, X509Certificate } from "node:crypto";
import { fieldsOf, textOf } from "@bulwark/model";
import { type Bundle, bundleFromJSON, toDSSEBundle, toMessageSignatureBundle } from "@sigstore/bundle";
import { type Attachment, CERTIFICATE_ANNOTATION, LOG_ANNOTATION, SIGNATURE_ANNOTATION } from "./attachment.ts";

/** The hint under which the verifier asks for the rule's own key. */
export const KEY_HINT = "rule";

type LogEntry = Bundle["verificationMaterial"]["tlogEntries"][number];

/** An attachment as a Sigstore bundle, with the bytes that its signature is over where they are not in the bundle. */
export interface SignedContent {
  readonly bundle: Bundle;
  /** Undefined for envelopes, which hold their payload. */
  readonly payload: Uint8Array | undefined;
  readonly isKeyless: boolean;
}

/**
 * Makes a bundle of any attachment, so that one verifier judges all of them.
 *
 * @param byKey leaves certificates out: the rule's key is asked instead
 * @throws Error with one sentence, for what is no signature
 */
export function toBundle(attachment: Attachment, byKey: boolean): SignedContent {
  if (attachment.kind === "bundle") return fromBundle(attachment, byKey);
  const { annotations, bytes } = attachment;
  const certificate = byKey ? undefined : certificateOf(annotations[CERTIFICATE_ANNOTATION]);
  const material = certificate === undefined ? { keyHint: KEY_HINT } : { certificate, certificateChain: true };
  const entries = logEntries(annotations[LOG_ANNOTATION]);
  if (attachment.kind === "simple-signing") {
    const signature = Buffer.from(annotations[SIGNATURE_ANNOTATION] ?? "", "base64");
    if (signature.length === 0) throw new Error("it holds no signature");
    const digest = createHash("sha256").update(bytes).digest();
    const bundle = withEntries(toMessageSignatureBundle({ digest, signature, ...material }), entries);
    return { bundle, payload: bytes, isKeyless: certificate !== undefined };
  }
  const { payload, payloadType, signature } = envelopeOf(bytes);
  const bundle = withEntries(
    toDSSEBundle({ artifact: payload, artifactType: payloadType, signature, ...material }),
    entries,
  );
  return { bundle, payload: undefined, isKeyless: certificate !== undefined };
}

function fromBundle({ bytes }: Attachment, byKey: boolean): SignedContent {
  let bundle: Bundle;
  try {
    bundle = bundleFromJSON(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch (cause) {
    throw new Error("it is no Sigstore bundle", { cause });
  }
  const { content } = bundle.verificationMaterial;
  const isKeyless = content.$case !== "publicKey";
  if (!byKey) return { bundle, payload: undefined, isKeyless };
  const byRule = { ...bundle.verificationMaterial, content: { $case: "publicKey", publicKey: { hint: KEY_HINT } } };
  return { bundle: { ...bundle, verificationMaterial: byRule } as Bundle, payload: undefined, isKeyless: false };
}

function withEntries(bundle: Bundle, tlogEntries: readonly LogEntry[]): Bundle {
  const verificationMaterial = { ...bundle.verificationMaterial, tlogEntries: [...tlogEntries] };
  return { ...bundle, verificationMaterial } as Bundle;
}

function certificateOf(pem: string | undefined): Buffer | undefined {
  if (pem === undefined || pem === "") return undefined;
  try {
    return new X509Certificate(pem).raw;
  } catch (cause) {
    throw new Error("its certificate cannot be read", { cause });
  }
}

/** DSSE (Dead Simple Signing Envelope, "Envelope"): the first signature counts, as cosign writes only one. */
function envelopeOf(bytes: Uint8Array): {
  readonly payload: Buffer;
  readonly payloadType: string;
  readonly signature: Buffer;
} {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new Error("it is no envelope", { cause });
  }
  const { payload, payloadType, signatures } = fieldsOf(document);
  const { sig } = fieldsOf(Array.isArray(signatures) ? signatures[0] : undefined);
  const signature = Buffer.from(textOf(sig), "base64");
  if (signature.length === 0) throw new Error("it holds no signature");
  return { payload: Buffer.from(textOf(payload), "base64"), payloadType: textOf(payloadType), signature };
}

/** The log entry that cosign puts beside a signature: what Rekor answered when it took the signature in. */
function logEntries(annotation: string | undefined): readonly LogEntry[] {
  if (annotation === undefined || annotation === "") return [];
  let document: unknown;
  try {
    document = JSON.parse(annotation);
  } catch (cause) {
    throw new Error("its log entry is not JSON", { cause });
  }
  const { SignedEntryTimestamp: promise, Payload: payload } = fieldsOf(document);
  const { body, integratedTime, logIndex, logID } = fieldsOf(payload);
  const canonicalizedBody = Buffer.from(textOf(body), "base64");
  const { kind, apiVersion } = kindOf(canonicalizedBody);
  return [
    {
      logIndex: String(logIndex),
      logId: { keyId: Buffer.from(textOf(logID), "hex") },
      kindVersion: { kind, version: apiVersion },
      integratedTime: String(integratedTime),
      inclusionPromise: { signedEntryTimestamp: Buffer.from(textOf(promise), "base64") },
      inclusionProof: undefined,
      canonicalizedBody,
    } as LogEntry,
  ];
}

function kindOf(body: Buffer): { readonly kind: string; readonly apiVersion: string } {
  try {
    const { kind, apiVersion } = fieldsOf(JSON.parse(body.toString("utf8")));
    return { kind: textOf(kind), apiVersion: textOf(apiVersion) };
  } catch (cause) {
    throw new Error("its log entry is not JSON", { cause });
  }
}
