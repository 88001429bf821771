import { join } from "node:path";
import { type ContentFact, type ContentFacts, type ContentScanner, wholeFile } from "@bulwark/model";
import type { SecretRules } from "../rule.ts";
import { loadSecretRules } from "../shipped.ts";

/** The rules of this repository. */
export function shippedRules(): Promise<SecretRules> {
  return loadSecretRules(join(import.meta.dirname, "../../../../../content/secrets"));
}

/** Scans text as if it were a file. */
export function scanText(scanner: ContentScanner, content: string | Uint8Array, path = "app/file.txt"): ContentFacts {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return scanner.scan(wholeFile(path, bytes));
}

export function idsOf(facts: readonly ContentFact[] | undefined): readonly string[] {
  return (facts ?? []).map(({ id }) => id);
}
