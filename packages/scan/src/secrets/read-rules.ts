import { type Fields, fieldsOf, listOf, SEVERITIES, type Severity, textOf } from "@bulwark/model";
import { isSeq, LineCounter, parseDocument } from "yaml";
import { SecretRuleError } from "./errors.ts";
import { globPattern, readPattern } from "./pattern.ts";
import type { Allow, Pattern, Sample, SecretRule, SecretRuleKind, SecretRules } from "./rule.ts";

const MAX_FILE_CHARS = 4 * 1024 * 1024;
const MAX_RULES = 5_000;
const MAX_ALIASES = 100;
const MAX_BEFORE = 2_000;
const NEXT = "correct the rule; docs/secrets.md shows the form";
const RULE_KEYS = new Set(
  (
    "id kind title severity keywords pattern group before wholeFile entropy paths allow advice references binary generic skipPublished " +
    "precedence samples"
  ).split(" "),
);
const ALLOW_KEYS = new Set(["values", "matches", "lines", "paths", "words", "all"]);
const ID = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const KINDS: readonly SecretRuleKind[] = ["value", "file", "variable"];

export interface ReadOptions {
  /** Patterns run without a bound of time. Only for rules that are tested against hostile text. */
  readonly trusted?: boolean;
}

/**
 * Reads rules in Bulwark's own form (YAML; docs/secrets.md). A rule that is wrong is left out and told in `errors` with
 * file, line and reason; the others load.
 *
 * @param text content of the file
 * @param file its path, for messages
 * @example readSecretRules("rules:\n  - {id: my-token, title: Token of ours, severity: high, keywords: [my_], pattern: 'my_[a-z0-9]{32}'}", "mine.yaml");
 */
export function readSecretRules(text: string, file: string, options: ReadOptions = {}): SecretRules {
  const errors: SecretRuleError[] = [];
  const refuse = (line: number, what: string, cause?: unknown) => {
    errors.push(new SecretRuleError(file, line, what, NEXT, cause));
  };
  if (text.length > MAX_FILE_CHARS) {
    refuse(0, `larger than ${MAX_FILE_CHARS} characters`);
    return { rules: [], allow: [], errors };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const broken = document.errors[0];
  if (broken !== undefined) {
    refuse(lines.linePos(broken.pos[0]).line, `not YAML: ${firstLine(broken)}`, broken);
    return { rules: [], allow: [], errors };
  }
  let root: Fields;
  try {
    root = fieldsOf(document.toJS({ maxAliasCount: MAX_ALIASES }));
  } catch (cause) {
    refuse(0, `not usable YAML: ${firstLine(cause)}`, cause);
    return { rules: [], allow: [], errors };
  }
  const items = document.get("rules", true);
  const lineOf = (at: number): number => {
    const range = isSeq(items) ? (items.items[at] as { range?: readonly number[] } | undefined)?.range : undefined;
    return range?.[0] === undefined ? 0 : lines.linePos(range[0]).line;
  };
  const unknown = Object.keys(root).find((key) => !["description", "defaults", "rules", "allow"].includes(key));
  if (unknown !== undefined) refuse(0, `unknown key "${unknown}"; known are description, defaults, rules, allow`);
  if (root.rules !== undefined && !Array.isArray(root.rules)) refuse(0, "rules must be a list");
  const rules: SecretRule[] = [];
  const ids = new Set<string>();
  const listed = listOf(root.rules);
  if (listed.length > MAX_RULES) refuse(lineOf(MAX_RULES), `more than ${MAX_RULES} rules; the rest is left out`);
  for (const [at, item] of listed.slice(0, MAX_RULES).entries()) {
    const fields = { ...fieldsOf(root.defaults), ...fieldsOf(item) };
    const name = typeof fields.id === "string" ? `rule ${fields.id}` : `rule number ${at + 1}`;
    try {
      const rule = readRule(fields, { origin: `${file}:${lineOf(at)}`, trusted: options.trusted === true });
      if (ids.has(rule.id)) throw new TypeError("its id stands twice in the file");
      ids.add(rule.id);
      rules.push(rule);
    } catch (cause) {
      refuse(lineOf(at), `${name}: ${firstLine(cause)}`, cause);
    }
  }
  let allow: readonly Allow[] = [];
  try {
    allow = readAllow(root.allow);
  } catch (cause) {
    refuse(0, `allow: ${firstLine(cause)}`, cause);
  }
  return { rules, allow, errors };
}

function readRule(fields: Fields, { origin, trusted }: { origin: string; trusted: boolean }): SecretRule {
  refuseUnknown(fields, RULE_KEYS);
  const id = needText(fields, "id");
  if (!ID.test(id)) throw new TypeError("the id must be kebab case");
  const kind = fields.kind === undefined ? "value" : needOneOf(fields, "kind", KINDS);
  const keywords = texts(fields, "keywords");
  if (keywords.some((word) => word.length < 2 || word !== word.toLowerCase()))
    throw new TypeError("keywords must be lower case and at least two characters long");
  const pattern = fields.pattern === undefined ? undefined : readPattern(needText(fields, "pattern"));
  const paths = texts(fields, "paths").map(globPattern);
  if (kind !== "file" && pattern === undefined) throw new TypeError('it needs "pattern"');
  if (kind === "file" && paths.length === 0) throw new TypeError('a rule of kind "file" needs "paths"');
  const wholeFile = fields.wholeFile === true || keywords.length === 0;
  if (trusted && kind === "value" && keywords.length === 0) throw new TypeError('it needs "keywords"');
  return {
    id,
    kind,
    title: needText(fields, "title"),
    severity: needOneOf<Severity>(fields, "severity", SEVERITIES),
    advice:
      typeof fields.advice === "string"
        ? fields.advice
        : "Revoke the secret, and give it to the container when it starts.",
    references: texts(fields, "references"),
    keywords,
    pattern,
    group: number(fields, "group", 0, 100),
    before: number(fields, "before", 0, MAX_BEFORE),
    wholeFile,
    entropy: number(fields, "entropy", 0, 8),
    paths,
    allow: readAllow(fields.allow),
    binary: fields.binary === true,
    generic: fields.generic === true,
    skipPublished: fields.skipPublished === true || fields.generic === true,
    precedence: number(fields, "precedence", 50, 100),
    trusted,
    origin,
    samples: readSamples(fieldsOf(fields.samples)),
  };
}

function readAllow(value: unknown): readonly Allow[] {
  if (value === undefined) return [];
  const entries = Array.isArray(value) ? value : [value];
  return entries.map((entry) => {
    const fields = fieldsOf(entry);
    refuseUnknown(fields, ALLOW_KEYS);
    const patterns = (key: string): readonly Pattern[] => texts(fields, key).map(readPattern);
    return {
      values: patterns("values"),
      matches: patterns("matches"),
      lines: patterns("lines"),
      paths: texts(fields, "paths").map(globPattern),
      words: texts(fields, "words").map((word) => word.toLowerCase()),
      all: fields.all === true,
    };
  });
}

function readSamples(fields: Fields): SecretRule["samples"] {
  const read = (key: string): readonly Sample[] =>
    listOf(fields[key]).map((entry) =>
      typeof entry === "string"
        ? { path: "sample.txt", text: entry }
        : { path: textOf(fieldsOf(entry).path), text: textOf(fieldsOf(entry).text) },
    );
  return { match: read("match"), ignore: read("ignore") };
}

function refuseUnknown(fields: Fields, known: ReadonlySet<string>): void {
  const unknown = Object.keys(fields).find((key) => !known.has(key));
  if (unknown !== undefined) throw new TypeError(`unknown key "${unknown}"; known are ${[...known].join(", ")}`);
}

function needText(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== "string" || value.trim() === "") throw new TypeError(`it needs "${key}" as text`);
  return value;
}

function needOneOf<Value extends string>(fields: Fields, key: string, values: readonly Value[]): Value {
  const value = values.find((one) => one === fields[key]);
  if (value === undefined) throw new TypeError(`"${key}" must be one of ${values.join(", ")}`);
  return value;
}

function texts(fields: Fields, key: string): readonly string[] {
  const value = fields[key];
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string" && item !== ""))
    throw new TypeError(`"${key}" must be a list of texts`);
  return value as readonly string[];
}

function number(fields: Fields, key: string, otherwise: number, most: number): number {
  const value = fields[key] ?? otherwise;
  if (typeof value !== "number" || !(value >= 0 && value <= most)) throw new TypeError(`"${key}" must be 0 to ${most}`);
  return value;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}
