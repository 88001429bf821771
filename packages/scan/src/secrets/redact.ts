import { createHash } from "node:crypto";

const SHOWN_CHARS = 4;
const SHOWN_SHARE = 5;
const MAX_NAME_CHARS = 80;
const MAX_DETAIL_CHARS = 200;

/** The value's beginning, at most four characters and at most a fifth of it, and stars. */
export function redact(value: string): string {
  return `${printable(value.slice(0, Math.min(SHOWN_CHARS, Math.floor(value.length / SHOWN_SHARE))))}****`;
}

/** The first 16 hexadecimal digits of the SHA-256 of the value's bytes, given as Latin-1. */
export function fingerprintOf(value: string): string {
  return createHash("sha256").update(value, "latin1").digest("hex").slice(0, 16);
}

/** One printable line: where the value stands, and its redacted form. `name` must hold nothing secret. */
export function detailOf(name: string, value: string): string {
  return `${printable(name).slice(-MAX_NAME_CHARS)}${redact(value)}`.slice(0, MAX_DETAIL_CHARS);
}

/** Control characters and what is no ASCII are left out: text comes as bytes, and a terminal may read the result. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, " ").replace(/ {2,}/g, " ");
}
