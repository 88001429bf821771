import { sha256 } from "@bulwark/image";

/** SHA-256 of a text, as registries write digests. */
export function digestOfText(text: string): string {
  return sha256(Buffer.from(text));
}
