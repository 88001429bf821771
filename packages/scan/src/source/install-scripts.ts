import type { ContentFact, ContentFacts, ContentFile, ContentScanner } from "@bulwark/model";
import { hooksOf, type InstallHook, mayHoldHooks } from "./install-hooks.ts";
import type { InstallRule, InstallRules } from "./install-rules.ts";

/** Bytes of a file that are read. */
export const INSTALL_SCRIPT_MAX_BYTES = 512 * 1024;
/** Raised when the same rules would give other facts. */
const CODE_VERSION = 1;
const MAX_FACTS = 100;
const MAX_DETAIL = 160;
const BEFORE = 20;

/**
 * Finds dangerous code that runs by itself when something is installed, built or sent to a pipeline: scripts of npm and
 * Composer, build code of Python, Ruby and Rust, `.pth` files, and pipelines of GitHub and GitLab.
 *
 * @example createInstallScriptScanner(readInstallRules(files)).scan(file).facts
 */
export function createInstallScriptScanner({ rules, version }: InstallRules): ContentScanner {
  return {
    id: "install-scripts",
    version: `${CODE_VERSION}.${version}`,
    maxBytes: INSTALL_SCRIPT_MAX_BYTES,
    wants: ({ path, sizeBytes }) => sizeBytes > 0 && mayHoldHooks(path),
    scan: (file) => scanFile(file, rules),
  };
}

function scanFile({ path, bytes }: ContentFile, rules: readonly InstallRule[]): ContentFacts {
  const text = new TextDecoder().decode(bytes.subarray(0, INSTALL_SCRIPT_MAX_BYTES));
  const facts = hooksOf(path, text).flatMap((hook) => factsOf(hook, rules));
  if (facts.length <= MAX_FACTS) return { facts };
  const problems = [`${facts.length - MAX_FACTS} more findings of install-scripts were left out (limit ${MAX_FACTS})`];
  return { facts: facts.slice(0, MAX_FACTS), problems };
}

/** Who is caught at malware need not hear of bad manners in the same command. */
function factsOf(hook: InstallHook, rules: readonly InstallRule[]): readonly ContentFact[] {
  const facts = rules.flatMap((rule) => factOf(hook, rule) ?? []);
  const worst = facts.filter(({ kind }) => kind === "malware");
  return worst.length > 0 ? worst : facts;
}

function factOf(hook: InstallHook, rule: InstallRule): ContentFact | undefined {
  const { text, surface, triggers = [] } = hook;
  if (!rule.on.has(surface)) return undefined;
  if (rule.triggers.size > 0 && !triggers.some((trigger) => rule.triggers.has(trigger))) return undefined;
  const match = firstMatch(rule.any, text);
  if (match === undefined) return undefined;
  if (!rule.all.every((pattern) => pattern.test(text)) || rule.none.some((pattern) => pattern.test(text)))
    return undefined;
  const { id, kind, severity, title, advice, references } = rule;
  const line = hook.line + (surface === "command" ? 0 : newlinesBefore(text, match.index));
  return { kind, id, severity, title, advice, line, detail: detailOf(hook, match), references };
}

function firstMatch(patterns: readonly RegExp[], text: string): RegExpExecArray | undefined {
  for (const pattern of patterns) {
    const match = pattern.exec(text);
    if (match !== null) return match;
  }
  return undefined;
}

/** What was seen, without what could be a password or token. */
function detailOf({ name, text }: InstallHook, match: RegExpExecArray): string {
  const from = Math.max(text.lastIndexOf("\n", match.index) + 1, match.index - BEFORE);
  const seen = text
    .slice(from, match.index + match[0].length)
    .replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ")
    .replace(/:\/\/[^/@\s]{1,200}@/g, "://…@")
    .replace(/[\w+/-]{24,}={0,2}/g, (word) => (/\d/.test(word) ? `${word.slice(0, 4)}…` : word))
    .trim();
  const shown = seen.length > MAX_DETAIL ? `${seen.slice(0, MAX_DETAIL - 1)}…` : seen;
  return name === "" ? shown : `${name.slice(0, 36)}: ${shown}`;
}

function newlinesBefore(text: string, offset: number): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
