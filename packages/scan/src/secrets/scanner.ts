import { createHash } from "node:crypto";
import type { ContentFact, ContentFacts, ContentFile, ContentHead, ContentScanner } from "@bulwark/model";
import { factsOf } from "./facts.ts";
import { isNoisy, isPublished, mayHoldText, readable } from "./file-kinds.ts";
import { createGuard, PATTERN_TIMEOUT_MS } from "./guard.ts";
import { type CompiledRule, compileRules, createRuleMatcher, type Guard } from "./match-rules.ts";
import { anyPath } from "./pattern.ts";
import type { SecretRule, SecretRules } from "./rule.ts";
import { searchInBlocks } from "./search-blocks.ts";

/** Raise it when the same rules on the same bytes would give other facts. */
const ENGINE_VERSION = 1;
const MAX_BYTES = 256 * 1024 * 1024;
const MAX_FINDINGS_PER_FILE = 100;
const FILE_RULE_HEAD_BYTES = 4_096;

export interface SecretScannerOptions {
  /** Bytes of a file that are read. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Findings of one file that are reported; how many more there are becomes a problem. Default 100. */
  readonly maxFindingsPerFile?: number;
  /** Time for the patterns of users on one file; ours are tested instead. Default 500 ms. */
  readonly patternTimeoutMs?: number;
}

/**
 * Looks for secrets, and for files that should not be in an image, by rules.
 *
 * @param sets rules as {@link readSecretRules}, {@link readGitleaksRules} or {@link loadSecretRules} read them; a later
 *   set's rule takes the place of an earlier one with its id, and a set's allow-lists hold for its own rules
 * @example
 * const scanner = createSecretScanner([await loadSecretRules("content/secrets")]);
 * scanner.scan({ path: "app/.npmrc", mode: 0o644, sizeBytes: bytes.length, bytes, sha256: undefined }).facts;
 */
export function createSecretScanner(sets: readonly SecretRules[], options: SecretScannerOptions = {}): ContentScanner {
  const valueRules = compileRules(sets, "value");
  const fileRules = compileRules(sets, "file");
  const matcher = createRuleMatcher(valueRules);
  const binaryMatcher = createRuleMatcher(valueRules.filter(({ rule }) => rule.binary));
  const wholeFiles = valueRules.some(({ rule }) => rule.wholeFile);
  const maxBytes = options.maxBytes ?? MAX_BYTES;
  const limit = options.maxFindingsPerFile ?? MAX_FINDINGS_PER_FILE;
  const timeoutMs = options.patternTimeoutMs ?? PATTERN_TIMEOUT_MS;
  const guarded = createGuard(timeoutMs);
  const ours = anyPath(fileRules.flatMap(({ rule }) => (rule.trusted ? rule.paths : [])));
  const others = fileRules.filter(({ rule }) => !rule.trusted);
  const digest = digestOfRules(sets, [ENGINE_VERSION, maxBytes, limit, timeoutMs]);

  return {
    id: "secrets",
    version: digest,
    maxBytes,
    wants(head: ContentHead): boolean {
      return head.sizeBytes > 0 && (mayHoldText(head.path) || ours(head.path));
    },
    scan(file: ContentFile): ContentFacts {
      const problems: string[] = [];
      const guard: Guard = (steps) => guarded(steps, problems);
      // One expression for all of our paths tells at once that none of them fits, as it is for most files.
      const facts = file.offset === 0 ? matchFiles(ours(file.path) ? fileRules : others, file, guard) : [];
      if (!mayHoldText(file.path)) return { facts, problems };
      const content = file.offset === 0 ? readable(file.bytes) : readable(file.bytes, file.head);
      const chosen = content.binary ? binaryMatcher : matcher;
      const applies = ruleFilter(file.path);
      const search = (bytes: Uint8Array) => chosen.search(bytes, file.path, applies, guard);
      const searched = wholeFiles ? search(content.bytes) : searchInBlocks(content.bytes, search);
      const values = factsOf(searched.matches, content.bytes, limit);
      for (const rule of searched.overfull)
        problems.push(`rule ${rule.id} fits more values than are looked at; the rest was left out`);
      if (values.leftOut > 0)
        problems.push(`${values.leftOut} more secrets were left out (limit ${limit} for each file)`);
      return { facts: [...facts, ...values.facts], problems };
    },
  };
}

/** Which rules are of use for a file of this path. */
function ruleFilter(path: string): (rule: CompiledRule) => boolean {
  const published = isPublished(path);
  const noisy = published || isNoisy(path);
  return ({ rule, paths }) => {
    if ((noisy && rule.generic) || (published && rule.skipPublished)) return false;
    return !rule.trusted || paths.length === 0 || paths.some((one) => one.test(path));
  };
}

function matchFiles(rules: readonly CompiledRule[], file: ContentFile, guard: Guard): readonly ContentFact[] {
  const published = isPublished(file.path);
  const found: SecretRule[] = [];
  const steps: { rule: SecretRule; run(): void }[] = [];
  for (const compiled of rules) {
    if (published && compiled.rule.skipPublished) continue;
    const run = () => {
      if (fitsFile(compiled, file)) found.push(compiled.rule);
    };
    if (compiled.rule.trusted) run();
    else steps.push({ rule: compiled.rule, run });
  }
  if (steps.length > 0) guard(steps);
  const specific = found.toSorted((a, b) => b.precedence - a.precedence);
  return specific.map(({ id, severity, title, advice, references }) => ({
    kind: "secret",
    id,
    severity,
    title,
    advice,
    ...(references.length > 0 ? { references } : {}),
  }));
}

function fitsFile({ rule, paths, pattern, allow }: CompiledRule, file: ContentFile): boolean {
  if (!paths.some((one) => one.test(file.path))) return false;
  let text = "";
  if (rule.pattern !== undefined) {
    text = Buffer.from(file.bytes.subarray(0, FILE_RULE_HEAD_BYTES)).toString("latin1");
    pattern.lastIndex = 0;
    if (!pattern.test(text)) return false;
  }
  return !allow.some((one) => one.holds({ value: "", valueStart: 0, match: "" }, text, file.path));
}

function digestOfRules(sets: readonly SecretRules[], settings: readonly number[]): string {
  const told = sets.map(({ rules, allow }) => [rules.map(({ samples: _, origin: __, ...rule }) => rule), allow]);
  return createHash("sha256")
    .update(JSON.stringify([settings, told]))
    .digest("hex")
    .slice(0, 16);
}
