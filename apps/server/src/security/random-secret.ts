import { createHash, createHmac, randomBytes, randomInt, timingSafeEqual } from "node:crypto";

const SECRET_BYTES = 32;
/** No letter or digit that is taken for another. */
const READABLE = "abcdefghjkmnpqrstuvwxyz23456789";

/** 256 random bits for a URL, a header or a cookie. */
export function randomSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

/**
 * A secret that people type: groups of five letters and digits, almost five bits each.
 *
 * @example readableSecret(4) === "k3wqz-8f2mc-…"
 */
export function readableSecret(groups: number): string {
  const group = () => Array.from({ length: 5 }, () => READABLE[randomInt(READABLE.length)]).join("");
  return Array.from({ length: groups }, group).join("-");
}

/** What is stored of a random secret. No salt is needed: nobody guesses 256 bits. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Answer to cross-site request forgery: follows from the session's secret, so that nothing more is stored. */
export function csrfOf(sessionSecret: string): string {
  return createHmac("sha256", sessionSecret).update("bulwark csrf").digest("base64url");
}

/** Compares without telling by time where two texts differ. */
export function equalTexts(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(sha256(a)), Buffer.from(sha256(b)));
}
