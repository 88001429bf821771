import { randomBytes } from "node:crypto";

const NONCE_BYTES = 16;

/** A fresh nonce (Content Security Policy Level 3, "Nonces"). */
export function createNonce(): string {
  return randomBytes(NONCE_BYTES).toString("base64");
}

/**
 * The policy of the console's pages: scripts only from here and never inline, styles from here or with the page's nonce,
 * nothing from other hosts, no frames around it.
 */
export function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
