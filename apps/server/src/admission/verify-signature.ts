import { createHash } from "node:crypto";
import type { Repository } from "@bulwark/image";
import type { SignatureState } from "@bulwark/kubernetes";
import { fetchAttachments, readSignaturePolicy, SignatureError, verifySignatures } from "@bulwark/signature";
import type { AdmissionSettings } from "./settings.ts";

export interface CheckedSignature {
  readonly state: SignatureState;
  /** Why it is not verified; empty where it is. */
  readonly problem: string;
}

/** Tells apart what was verified: by which policy, under which name, of which index. */
export function signaturePolicyVersion(what: {
  readonly signature: AdmissionSettings["signature"];
  readonly name: string;
  readonly index: string;
  readonly manifests: readonly string[];
}): string {
  return createHash("sha256").update(JSON.stringify(what)).digest("hex").slice(0, 16);
}

/** Platforms of one index that are looked at. */
const MAX_MANIFESTS = 16;

/**
 * Verifies the signatures of an image by the tenant's signature policy: what was asked for has to be signed, or every image behind it:
 * which of them runs is up to the node.
 *
 * @throws what the registry's session throws
 */
export async function verifySignature(
  repository: Repository,
  name: string,
  { index, manifests }: { readonly index: string; readonly manifests: readonly string[] },
  { policy: text, keys }: AdmissionSettings["signature"],
): Promise<CheckedSignature> {
  const policy = await readSignaturePolicy(text, "the signature policy", readKeyOf(keys));
  const why: string[] = [];
  let isSigned = false;
  const isVerified = async (digest: string): Promise<boolean> => {
    const manifest = await repository.manifest(digest);
    if (manifest === undefined) return false;
    const attachments = await fetchAttachments(repository, digest);
    const { refused } = verifySignatures({ repository: name, digest, manifest: manifest.bytes }, attachments, policy);
    if (refused.length === 0) return true;
    isSigned ||= attachments.attachments.length > 0;
    why.push(...refused.flatMap(({ refusals }) => refusals.slice(0, 1).map(({ message }) => message)));
    return false;
  };
  if (await isVerified(index)) return { state: "verified", problem: "" };
  const behind = manifests.filter((digest) => digest !== index);
  let isWhole = behind.length > 0 && behind.length <= MAX_MANIFESTS;
  for (const digest of behind) isWhole &&= await isVerified(digest);
  if (isWhole) return { state: "verified", problem: "" };
  return { state: isSigned ? "invalid" : "unsigned", problem: (why[0] ?? "it is not signed").slice(0, 500) };
}

/** @throws SignatureError for a signature policy that cannot be read */
export async function demandSignaturePolicy({ policy, keys }: AdmissionSettings["signature"]): Promise<void> {
  if (policy !== "") await readSignaturePolicy(policy, "the signature policy", readKeyOf(keys));
}

function readKeyOf(keys: AdmissionSettings["signature"]["keys"]): (path: string) => Promise<string> {
  return async (path) => {
    const key = keys.find((each) => each.name === path);
    if (key !== undefined) return key.pem;
    throw new SignatureError(
      "SIGNATURE_POLICY_INVALID",
      `the signature policy names the key ${path}`,
      "add it to the keys",
    );
  };
}
