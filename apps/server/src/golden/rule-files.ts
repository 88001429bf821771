import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type BuildRules, readBuildRules } from "@bulwark/policy";
import { contentDirectory } from "@bulwark/scan/shipped/places";
import { listBuildRules, type TenantQueries } from "@bulwark/store";

const SHIPPED_FILE = join(contentDirectory, "policies/build-rules.yaml");
/** Versions of rules that are kept read: each tenant has one. */
const KEPT = 100;

/** Build rules as they hold for a tenant. */
export interface RuleSet {
  readonly files: readonly BuildRules[];
  /** Changes whenever a rule does. */
  readonly version: string;
  /** Text of the files, for lists that CI takes along. */
  readonly texts: readonly { readonly name: string; readonly content: string }[];
}

let shipped: string | undefined;
const kept = new Map<string, readonly BuildRules[]>();

/** The shipped rules, then the tenant's own by name. */
export async function rulesOf(db: TenantQueries): Promise<RuleSet> {
  shipped ??= readFileSync(SHIPPED_FILE, "utf8");
  const own = (await listBuildRules(db)).filter(({ enabled }) => enabled);
  const texts = [
    { name: "build-rules.yaml", content: shipped },
    ...own.map(({ name, content }) => ({ name, content })),
  ];
  const version = createHash("sha256").update(JSON.stringify(texts)).digest("hex").slice(0, 16);
  return { files: readOnce(version, texts), version, texts };
}

function readOnce(version: string, texts: RuleSet["texts"]): readonly BuildRules[] {
  const known = kept.get(version);
  if (known !== undefined) return known;
  const files = texts.map(({ name, content }) => readBuildRules(content, name));
  if (kept.size >= KEPT) kept.clear();
  kept.set(version, files);
  return files;
}
