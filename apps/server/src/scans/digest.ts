import { createHash } from "node:crypto";

/** SHA-256 of a text, as registries write digests. */
export function digestOfText(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
