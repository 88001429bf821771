import { createHash, type Hash } from "node:crypto";
import { imageError } from "./errors.ts";

/** Digests as the OCI image specification registers them ("Registered Algorithms"). */
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** True for `sha256:…` and `sha512:…` with lower-case hexadecimal digits of the right number. */
export function isDigest(text: unknown): text is string {
  return typeof text === "string" && DIGEST.test(text);
}

/** `sha256` of `sha256:…`. */
export function algorithmOf(digest: string): string {
  return digest.slice(0, digest.indexOf(":"));
}

/** A running hash of the digest's algorithm. */
export function hasherFor(digest: string): Hash {
  return createHash(algorithmOf(digest));
}

/** Digest of bytes in hand, SHA-256. */
export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Digest of what the hash took. */
export function finish(hash: Hash, algorithm: string): string {
  return `${algorithm}:${hash.digest("hex")}`;
}

/**
 * Refuses content that is not what its digest says.
 *
 * @throws DIGEST_MISMATCH
 */
export function requireDigest(what: string, expected: string, actual: string): void {
  if (expected === actual) return;
  throw imageError(
    "DIGEST_MISMATCH",
    `${what} should have digest ${expected} but its content has ${actual}`,
    "do not use this image: it was damaged or changed; pull or save it again",
  );
}

/** {@link requireDigest} for a document in memory. */
export function verifyBytes(what: string, digest: string, bytes: Uint8Array): void {
  const hash = hasherFor(digest).update(bytes);
  requireDigest(what, digest, finish(hash, algorithmOf(digest)));
}
