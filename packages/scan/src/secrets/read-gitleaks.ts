import { type Fields, fieldsOf, listOf, textOf } from "@bulwark/model";
import { parse, TomlError } from "smol-toml";
import { SecretRuleError } from "./errors.ts";
import { re2Pattern } from "./re2.ts";
import type { Allow, Pattern, SecretRule, SecretRules } from "./rule.ts";

const MAX_FILE_CHARS = 4 * 1024 * 1024;
const MAX_RULES = 5_000;
const BEFORE_BYTES = 400;
const NEXT = "correct the rule, or leave it out";
const ADVICE = "Revoke the secret, remove it from the image, and give it to the container when it starts.";

/**
 * Reads rules in the TOML form of Gitleaks (`[[rules]]` with id, description, regex, secretGroup, entropy, keywords, path
 * and allow-lists; `[allowlist]` and `[[allowlists]]` for the whole file). Their expressions run with a bound of time. What
 * cannot be used is told in `errors` with file, line and rule; the rest loads.
 *
 * Gitleaks tries an expression on the whole file as soon as a keyword stands anywhere in it; here the expression is tried
 * around its keywords where it names one itself, and on the whole file otherwise.
 *
 * @param text content of the file
 * @param file its path, for messages
 */
export function readGitleaksRules(text: string, file: string): SecretRules {
  const errors: SecretRuleError[] = [];
  const refuse = (line: number, what: string, cause?: unknown) => {
    errors.push(new SecretRuleError(file, line, what, NEXT, cause));
  };
  let root: Fields = {};
  if (text.length > MAX_FILE_CHARS) refuse(0, `larger than ${MAX_FILE_CHARS} characters`);
  else {
    try {
      root = fieldsOf(parse(text));
    } catch (cause) {
      const line = cause instanceof TomlError ? cause.line : 0;
      refuse(line, `not TOML: ${reason(cause)}`, cause);
    }
  }
  if (root.extend !== undefined)
    refuse(lineOf(text, /^\s*\[extend\]/m), "[extend] is not supported: give every file itself");
  const rules: SecretRule[] = [];
  const targeted = new Map<string, Allow[]>();
  const allow: Allow[] = [];
  for (const entry of allowEntries(root)) {
    try {
      const read = readAllow(entry);
      const targets = listOf(entry.targetRules).map(textOf);
      for (const id of targets) targeted.set(id, [...(targeted.get(id) ?? []), read]);
      if (targets.length === 0) allow.push(read);
    } catch (cause) {
      refuse(lineOf(text, /^\s*\[?\[allowlists?\]/m), `allow-list of the file: ${reason(cause)}`, cause);
    }
  }
  const listed = listOf(root.rules);
  if (listed.length > MAX_RULES) refuse(0, `more than ${MAX_RULES} rules; the rest is left out`);
  for (const [at, item] of listed.slice(0, MAX_RULES).entries()) {
    const fields = fieldsOf(item);
    const id = textOf(fields.id);
    const line = ruleLine(text, at);
    try {
      rules.push(readRule(fields, `${file}:${line}`, targeted.get(id) ?? []));
    } catch (cause) {
      refuse(line, `rule ${id === "" ? `number ${at + 1}` : id}: ${reason(cause)}`, cause);
    }
  }
  return { rules, allow, errors };
}

function readRule(fields: Fields, origin: string, targeted: readonly Allow[]): SecretRule {
  const id = textOf(fields.id);
  if (id === "") throw new TypeError("it has no id");
  if (listOf(fields.required).length > 0) throw new TypeError("rules that require others are not supported");
  const regex = textOf(fields.regex);
  const path = textOf(fields.path);
  if (regex === "" && path === "") throw new TypeError("it has neither regex nor path");
  const keywords = listOf(fields.keywords).map((word) => textOf(word).toLowerCase());
  const usable = keywords.every((word) => word.length >= 2) ? keywords : [];
  const group = typeof fields.secretGroup === "number" ? fields.secretGroup : 0;
  const title = textOf(fields.description);
  return {
    id,
    kind: regex === "" ? "file" : "value",
    title: title === "" ? id : title,
    severity: "high",
    advice: ADVICE,
    references: [],
    keywords: usable,
    pattern: regex === "" ? undefined : re2Pattern(regex),
    group,
    before: BEFORE_BYTES,
    wholeFile: usable.length === 0 || !usable.some((word) => regex.toLowerCase().includes(word)),
    entropy: typeof fields.entropy === "number" ? fields.entropy : 0,
    paths: path === "" ? [] : [re2Pattern(path)],
    allow: [...targeted, ...allowEntries(fields).map(readAllow)],
    binary: false,
    generic: false,
    skipPublished: false,
    precedence: 40,
    trusted: false,
    origin,
    samples: { match: [], ignore: [] },
  };
}

/** The older `[allowlist]` table and the newer `[[allowlists]]`. */
function allowEntries(fields: Fields): readonly Fields[] {
  const single = fields.allowlist === undefined ? [] : [fields.allowlist];
  return [...single, ...listOf(fields.allowlists)].map(fieldsOf);
}

function readAllow(fields: Fields): Allow {
  const regexes = listOf(fields.regexes).map((item) => re2Pattern(textOf(item)));
  const target = textOf(fields.regexTarget);
  const on = (name: string): readonly Pattern[] => (name === target ? regexes : []);
  if (!["", "secret", "match", "line"].includes(target)) throw new TypeError(`unknown regexTarget "${target}"`);
  return {
    values: [...on(""), ...on("secret")],
    matches: on("match"),
    lines: on("line"),
    paths: listOf(fields.paths).map((item) => re2Pattern(textOf(item))),
    words: listOf(fields.stopwords).map((word) => textOf(word).toLowerCase()),
    all: /^(?:and|&&)$/i.test(textOf(fields.condition)),
  };
}

function ruleLine(text: string, index: number): number {
  let seen = 0;
  for (const match of text.matchAll(/^[ \t]*\[\[[ \t]*rules[ \t]*\]\]/gm)) {
    if (seen++ === index) return text.slice(0, match.index).split("\n").length;
  }
  return 0;
}

function lineOf(text: string, pattern: RegExp): number {
  const at = text.search(pattern);
  return at < 0 ? 0 : text.slice(0, at).split("\n").length;
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}
