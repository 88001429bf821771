import { hash, type KeyObject, verify } from "node:crypto";
import { fieldsOf, textOf, type VerifiedSignature } from "@bulwark/model";
import { compileBounded } from "@bulwark/policy";
import {
  PolicyError,
  type Signer,
  toSignedEntity,
  toTrustMaterial,
  VerificationError,
  Verifier,
} from "@sigstore/verify";
import type { Attachment, Attachments } from "./attachment.ts";
import { predicateEnvironment } from "./predicate.ts";
import type { AttestationRule, SignaturePolicy, SignatureRule } from "./signature-policy.ts";
import { readStatement, SIGN_PREDICATES, STATEMENT_PAYLOAD, type Statement } from "./statement.ts";
import { KEY_HINT, type SignedContent, toBundle } from "./to-bundle.ts";
import { emptyTrustedRoot } from "./trusted-root.ts";
import type { Refusal, RefusalCode, SignatureVerdict } from "./verdict.ts";

/** Type of cosign's payload (cosign, "Signature specification", "Simple Signing"). */
const PAYLOAD_TYPE = "cosign container image signature";

/** What a rule may cost on a predicate, which whoever attached it wrote. */
const MAX_STEPS = 1_000_000;
/** Whoever attached it chose the words in it. */
const MAX_SENTENCE = 500;

/** Who signed; nothing is known of who holds a key. */
type Verified = Pick<Signer, "identity">;

/** What is to be verified. */
export interface SignedImage {
  /** `registry/repository`. */
  readonly repository: string;
  /** `sha256:…` of the manifest that would run. */
  readonly digest: string;
  /** The manifest itself, for bundles that sign its bytes. */
  readonly manifest: Uint8Array;
}

/**
 * Judges an image by a signature policy: every rule that speaks of the image needs a signature or attestation that
 * satisfies it. Nothing is asked of the network: log entries are verified by the promise or proof they carry.
 */
export function verifySignatures(
  image: SignedImage,
  { attachments, problems }: Attachments,
  policy: SignaturePolicy,
): SignatureVerdict {
  const rules = policy.rules.filter((rule) => speaksOf(rule, image.repository));
  if (rules.length === 0 && !policy.allowsOthers) {
    const message = `no rule of signature policy ${policy.name} speaks of ${image.repository}`;
    return { verified: [], refused: [{ rule: policy.name, refusals: [{ code: "NO_RULE", message }] }] };
  }
  const verified: VerifiedSignature[] = [];
  const refused: { rule: string; refusals: readonly Refusal[] }[] = [];
  for (const rule of rules) {
    const results = attachments.filter(({ kind }) => mayServe(kind, rule)).map((each) => verifyOne(each, image, rule));
    const good = results.find((result) => "rule" in result);
    if (good !== undefined && "rule" in good) verified.push(good);
    else refused.push({ rule: rule.name, refusals: whyNot(results as readonly Refusal[], rule, image, problems) });
  }
  return { verified, refused };
}

/** Names of hosts are the same in capitals, and with the port that is meant anyway: no spelling leads around a rule. */
function speaksOf({ images }: SignatureRule, repository: string): boolean {
  const slash = repository.indexOf("/");
  const host = repository.slice(0, Math.max(0, slash)).toLowerCase();
  const spellings = [host, host.replace(/:0*(?:443|80)$/, "")].map((one) => one + repository.slice(Math.max(0, slash)));
  return images.length === 0 || images.some((pattern) => spellings.some((one) => globOf(pattern).test(one)));
}

/** `*` stands for anything within a part of the name, `**` for any number of parts. */
function globOf(pattern: string): RegExp {
  const source = pattern
    .split(/(\*{1,2})/)
    .map((part) => (part === "**" ? ".*" : part === "*" ? "[^/]*" : part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&")))
    .join("");
  return new RegExp(`^${source}$`);
}

function mayServe(kind: Attachment["kind"], { attestation }: SignatureRule): boolean {
  return kind === "bundle" || (kind === "envelope") === (attestation !== undefined);
}

function whyNot(
  refusals: readonly Refusal[],
  rule: SignatureRule,
  { digest }: SignedImage,
  problems: readonly string[],
): readonly Refusal[] {
  const unread = problems.map((message) => ({ code: "MALFORMED" as const, message }));
  if (refusals.length > 0) return [...refusals, ...unread];
  const what = rule.attestation === undefined ? "signature" : `attestation ${rule.attestation.predicateType}`;
  return [{ code: "NOT_SIGNED", message: `${digest} carries no ${what}` }, ...unread];
}

function refusal(code: RefusalCode, { place }: Attachment, why: string): Refusal {
  const message = `${place}: ${why}`;
  return { code, message: message.length > MAX_SENTENCE ? `${message.slice(0, MAX_SENTENCE - 1)}…` : message };
}

function verifyOne(attachment: Attachment, image: SignedImage, rule: SignatureRule): VerifiedSignature | Refusal {
  let content: SignedContent;
  try {
    content = toBundle(attachment, rule.keyless === undefined);
  } catch (error) {
    return refusal("MALFORMED", attachment, error instanceof Error ? error.message : String(error));
  }
  const claim = claimOf(content, attachment, image, rule.attestation);
  if ("code" in claim) return claim;
  if (rule.keyless !== undefined && !content.isKeyless) {
    return refusal("WRONG_IDENTITY", attachment, "it is made with a key, the rule asks for a certificate");
  }
  if (rule.needsLog && content.bundle.verificationMaterial.tlogEntries.length === 0) {
    return refusal("LOG_ENTRY_MISSING", attachment, "it has no entry of a transparency log");
  }
  const signed = rule.keyless === undefined ? byAnyKey(content, image, rule) : byCertificate(content, image, rule);
  if (signed instanceof Error) return refusal(codeOf(signed), attachment, sentenceOf(signed));
  const identity = signed.identity?.subjectAlternativeName ?? "";
  const issuer = signed.identity?.extensions?.issuer ?? "";
  const stranger = rule.keyless === undefined ? undefined : strangerTo(rule.keyless, identity, issuer);
  if (stranger !== undefined) return refusal(stranger.code, attachment, stranger.why);
  // What a predicate says is asked only once it is known who says it.
  const why = unmet(rule.attestation, claim.statement);
  if (why !== "") return refusal("ATTESTATION_REFUSED", attachment, why);
  const predicateType = claim.statement?.predicateType ?? "";
  return { rule: rule.name, place: attachment.place, identity, issuer, predicateType };
}

/** What an attachment says of the image; undefined for plain signatures. */
interface Claim {
  readonly statement: Statement | undefined;
}

/** What the signature says of which image; signatures of other images or other kinds are refused before any key is tried. */
function claimOf(
  content: SignedContent,
  attachment: Attachment,
  image: SignedImage,
  attestation: AttestationRule | undefined,
): Claim | Refusal {
  const { content: body } = content.bundle;
  if (body.$case === "dsseEnvelope") {
    const { payload, payloadType } = body.dsseEnvelope;
    const statement = payloadType === STATEMENT_PAYLOAD ? readStatement(payload) : undefined;
    if (statement === undefined) return refusal("MALFORMED", attachment, "its envelope holds no in-toto statement");
    return claimOfStatement(statement, attachment, image, attestation);
  }
  if (attestation !== undefined) return refusal("ATTESTATION_OTHER_KIND", attachment, "it is a plain signature");
  if (content.payload === undefined) {
    // A signature of the manifest's own bytes, which have to be those that would run.
    return digestOf(image) === image.digest
      ? { statement: undefined }
      : refusal("OTHER_IMAGE", attachment, `the registry does not give the manifest ${image.digest} that it is over`);
  }
  const digest = payloadDigest(content.payload);
  if (digest === undefined) return refusal("MALFORMED", attachment, "its payload is not cosign's");
  if (digest === image.digest) return { statement: undefined };
  return refusal("OTHER_IMAGE", attachment, `it was made for ${digest}, not for ${image.digest}`);
}

function digestOf({ digest, manifest }: SignedImage): string {
  const algorithm = digest.startsWith("sha512:") ? "sha512" : "sha256";
  return `${algorithm}:${hash(algorithm, manifest)}`;
}

function payloadDigest(payload: Uint8Array): string | undefined {
  try {
    const { critical } = fieldsOf(JSON.parse(Buffer.from(payload).toString("utf8")));
    const { type, image } = fieldsOf(critical);
    const digest = textOf(fieldsOf(image)["docker-manifest-digest"]);
    return type === PAYLOAD_TYPE && digest !== "" ? digest : undefined;
  } catch {
    return undefined;
  }
}

function claimOfStatement(
  statement: Statement,
  attachment: Attachment,
  image: SignedImage,
  attestation: AttestationRule | undefined,
): Claim | Refusal {
  const { predicateType, digests } = statement;
  const wanted = attestation === undefined ? SIGN_PREDICATES : new Set([attestation.predicateType]);
  if (!wanted.has(predicateType)) return refusal("ATTESTATION_OTHER_KIND", attachment, `it attests ${predicateType}`);
  if (!digests.includes(image.digest)) {
    return refusal(
      "OTHER_IMAGE",
      attachment,
      `it was made for ${digests.slice(0, 3).join(", ") || "nothing"}, not for ${image.digest}`,
    );
  }
  return { statement };
}

/** Why a statement does not meet what the rule asks of it; empty when it does. */
function unmet(rule: AttestationRule | undefined, statement: Statement | undefined): string {
  if (rule === undefined || statement === undefined || rule.where === "") return "";
  const { where } = rule;
  const { predicate, subject } = statement;
  try {
    const meets = compileBounded(predicateEnvironment(), where, MAX_STEPS);
    const value = meets({ predicate: fieldsOf(predicate), subject });
    return value === true ? "" : `its predicate does not meet: ${where}`;
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error);
    return `its predicate cannot be held against the rule: ${why}`;
  }
}

function byAnyKey(content: SignedContent, image: SignedImage, rule: SignatureRule): Verified | Error {
  let last: Error = new Error("the rule has no key");
  for (const key of rule.keys) {
    const signer = verifyBundle(content, image, rule, key);
    if (!(signer instanceof Error)) return signer;
    last = signer;
  }
  return last;
}

function byCertificate(content: SignedContent, image: SignedImage, rule: SignatureRule): Verified | Error {
  return verifyBundle(content, image, rule, undefined);
}

function verifyBundle(
  { bundle, payload }: SignedContent,
  image: SignedImage,
  rule: SignatureRule,
  key: KeyObject | undefined,
): Verified | Error {
  const material = toTrustMaterial(rule.trustedRoot ?? emptyTrustedRoot(), (hint) => {
    if (key === undefined || hint !== KEY_HINT) {
      throw new VerificationError({ code: "PUBLIC_KEY_ERROR", message: "the rule has no key" });
    }
    return { publicKey: key, validFor: () => true };
  });
  // The library hashes before it verifies, which Ed25519 does not (RFC 8032, section 5.1).
  if (key?.asymmetricKeyType === "ed25519" && !rule.needsLog && bundle.content.$case === "messageSignature") {
    const { signature } = bundle.content.messageSignature;
    const isGenuine = verify(null, payload ?? image.manifest, key, signature);
    return isGenuine
      ? {}
      : new VerificationError({ code: "SIGNATURE_ERROR", message: "signature verification failed" });
  }
  const threshold = rule.needsLog ? 1 : 0;
  const verifier = new Verifier(material, {
    tlogThreshold: threshold,
    timestampThreshold: threshold,
    ctlogThreshold: key === undefined ? 1 : 0,
  });
  // A rule that asks for no log has no trust root to hold an entry or a time stamp against.
  const untimed = { ...bundle.verificationMaterial, tlogEntries: [], timestampVerificationData: undefined };
  const asked = rule.needsLog ? bundle : { ...bundle, verificationMaterial: untimed };
  try {
    return verifier.verify(toSignedEntity(asked as typeof bundle, Buffer.from(payload ?? image.manifest)));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function strangerTo(
  { issuer: wantedIssuer, identity: wanted }: NonNullable<SignatureRule["keyless"]>,
  identity: string,
  issuer: string,
): { readonly code: RefusalCode; readonly why: string } | undefined {
  if (issuer !== wantedIssuer) {
    return {
      code: "WRONG_ISSUER",
      why: `its certificate was issued on the word of ${issuer || "nobody"}, not of ${wantedIssuer}`,
    };
  }
  const fits = typeof wanted === "string" ? identity === wanted : wanted.testExact(identity);
  if (fits) return undefined;
  const asked = typeof wanted === "string" ? wanted : wanted.pattern();
  return { code: "WRONG_IDENTITY", why: `its certificate names ${identity || "nobody"}, not ${asked}` };
}

function codeOf(error: Error): RefusalCode {
  if (!(error instanceof VerificationError)) return error instanceof PolicyError ? "WRONG_IDENTITY" : "MALFORMED";
  if (error.code === "CERTIFICATE_ERROR") {
    return isExpired(error) ? "CERTIFICATE_EXPIRED" : "CERTIFICATE_UNTRUSTED";
  }
  if (error.code === "SIGNATURE_ERROR") return "SIGNATURE_INVALID";
  if (error.code === "PUBLIC_KEY_ERROR") return "WRONG_KEY";
  return "LOG_ENTRY_INVALID";
}

function isExpired({ message, cause }: VerificationError): boolean {
  return /expired/.test(message) || (cause instanceof Error && /expired/.test(cause.message));
}

const SENTENCES: Readonly<Partial<Record<RefusalCode, string>>> = {
  SIGNATURE_INVALID: "the signature was not made with the rule's key, or not over this content",
  CERTIFICATE_EXPIRED: "its certificate was not valid when the log took the signature in",
  CERTIFICATE_UNTRUSTED: "its certificate does not lead to an authority of the trust root",
  LOG_ENTRY_INVALID: "its log entry is not genuine or speaks of another signature",
};

function sentenceOf(error: Error): string {
  const sentence = SENTENCES[codeOf(error)];
  return sentence === undefined ? error.message : `${sentence} (${error.message})`;
}
