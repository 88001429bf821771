import { createHash } from "node:crypto";
import { type Fields, fieldsOf, listOf, SEVERITIES, type Severity, textOf } from "@bulwark/model";
import { parse as parseYaml } from "yaml";
import { ScanError } from "../errors.ts";
import { compile, readPattern } from "../secrets/pattern.ts";

const MAX_FILE_CHARS = 1024 * 1024;
const MAX_ALIASES = 100;
const KEYS = new Set("id title kind severity on triggers any all none advice references samples".split(" "));
const FRAGMENT = /%\{([A-Z]+)\}/g;
/** Stands in samples, so that the file that holds them looks like nothing bad itself. */
const SPLIT = "{}";
const KINDS = ["malware", "misconfiguration"] as const;

/**
 * Where code runs that nobody started: `command` (npm and Composer scripts, node-gyp), build code by language, `pth` lines
 * of Python, `pyproject`, and what pipelines run, use, check out and include.
 */
const SURFACES = [
  "command",
  "python",
  "pth",
  "pyproject",
  "ruby",
  "rust",
  "workflow-run",
  "workflow-uses",
  "workflow-checkout",
  "gitlab-run",
  "gitlab-include",
] as const;

export type Surface = (typeof SURFACES)[number];

/** A sample file of a rule. */
export interface InstallSample {
  /** Empty: the usual file of the rule's first surface. */
  readonly path: string;
  readonly text: string;
}

/** What is dangerous where code runs by itself. */
export interface InstallRule {
  readonly id: string;
  readonly title: string;
  readonly kind: (typeof KINDS)[number];
  readonly severity: Severity;
  readonly on: ReadonlySet<Surface>;
  /** Events of which the pipeline must name one; empty for any. */
  readonly triggers: ReadonlySet<string>;
  /** One of them stands in the text; its place is the finding's. */
  readonly any: readonly RegExp[];
  /** All of them stand in the text. */
  readonly all: readonly RegExp[];
  /** None of them stands in the text. */
  readonly none: readonly RegExp[];
  readonly advice: string;
  readonly references: readonly string[];
  readonly samples: { readonly bad: readonly InstallSample[]; readonly good: readonly InstallSample[] };
}

/** Rules with the digest of what they say. */
export interface InstallRules {
  readonly rules: readonly InstallRule[];
  readonly version: string;
}

/**
 * Reads the shipped rules (YAML; content/install-scripts/README.md).
 *
 * @throws ScanError `INSTALL_RULES_INVALID` with file and rule
 */
export function readInstallRules(files: readonly { readonly name: string; readonly text: string }[]): InstallRules {
  const hash = createHash("sha256");
  const rules = files.flatMap(({ name, text }) => {
    hash.update(`${name}\0${text}\0`);
    return readFile(text, name);
  });
  const twice = rules.find(({ id }, at) => rules.findIndex((other) => other.id === id) !== at);
  if (twice !== undefined) throw invalid("the rules", `the id ${twice.id} stands twice`);
  return { rules, version: hash.digest("hex").slice(0, 16) };
}

function readFile(text: string, name: string): readonly InstallRule[] {
  if (text.length > MAX_FILE_CHARS) throw invalid(name, `larger than ${MAX_FILE_CHARS} characters`);
  let document: Fields;
  try {
    document = fieldsOf(parseYaml(text, { maxAliasCount: MAX_ALIASES }));
  } catch (cause) {
    throw invalid(name, cause instanceof Error ? (cause.message.split("\n", 1)[0] ?? "") : String(cause), cause);
  }
  const fragments = fieldsOf(document.fragments);
  return listOf(document.rules).map((value) => {
    const fields = fieldsOf(value);
    const id = textOf(fields.id);
    try {
      return readRule(fields, id, fragments);
    } catch (cause) {
      throw invalid(name, `rule ${id}: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
    }
  });
}

function readRule(fields: Fields, id: string, fragments: Fields): InstallRule {
  const unknown = Object.keys(fields).find((key) => !KEYS.has(key));
  if (unknown !== undefined) throw new TypeError(`unknown key "${unknown}"`);
  if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(id)) throw new TypeError("the id must be kebab case");
  const patterns = (key: string) => texts(fields, key).map((text) => compile(readPattern(filled(text, fragments)), ""));
  const any = patterns("any");
  if (any.length === 0) throw new TypeError('it needs "any"');
  const samples = fieldsOf(fields.samples);
  return {
    id,
    title: needText(fields, "title"),
    kind: needOneOf(fields, "kind", KINDS),
    severity: needOneOf(fields, "severity", SEVERITIES),
    on: new Set(texts(fields, "on").map((word) => needOneOf({ on: word }, "on", SURFACES))),
    triggers: new Set(texts(fields, "triggers")),
    any,
    all: patterns("all"),
    none: patterns("none"),
    advice: needText(fields, "advice"),
    references: texts(fields, "references"),
    samples: { bad: listOf(samples.bad).map(sampleOf), good: listOf(samples.good).map(sampleOf) },
  };
}

/** Patterns share fragments, written `%{NAME}`; fragments may hold those above them. */
function filled(pattern: string, fragments: Fields): string {
  if (!new RegExp(FRAGMENT.source).test(pattern)) return pattern;
  return filled(
    pattern.replace(FRAGMENT, (_all, name: string) => {
      if (!Object.hasOwn(fragments, name)) throw new TypeError(`unknown fragment %{${name}}`);
      return `(?:${textOf(fragments[name])})`;
    }),
    fragments,
  );
}

function sampleOf(value: unknown): InstallSample {
  const { path, text } = typeof value === "string" ? { path: "", text: value } : fieldsOf(value);
  return { path: textOf(path), text: textOf(text).replaceAll(SPLIT, "") };
}

function needText(fields: Fields, key: string): string {
  const value = textOf(fields[key]);
  if (value === "") throw new TypeError(`it needs "${key}" as text`);
  return value;
}

function needOneOf<Value extends string>(fields: Fields, key: string, values: readonly Value[]): Value {
  const value = values.find((one) => one === fields[key]);
  if (value === undefined) throw new TypeError(`"${key}" must be one of ${values.join(", ")}`);
  return value;
}

function texts(fields: Fields, key: string): readonly string[] {
  const value = fields[key] ?? [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string" && item !== ""))
    throw new TypeError(`"${key}" must be a list of texts`);
  return value as readonly string[];
}

function invalid(file: string, what: string, cause?: unknown): ScanError {
  return new ScanError("INSTALL_RULES_INVALID", `install script rules ${file}: ${what}`, "correct the file", cause);
}
