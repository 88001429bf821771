import { Environment } from "@marcbachmann/cel-js";
import { parse as parseYaml } from "yaml";
import type { BaseStanding } from "./base-standing.ts";
import { compileBounded } from "./bounded.ts";
import { PolicyError } from "./errors.ts";

const MAX_FILE_CHARACTERS = 256 * 1024;
const MAX_RULES = 200;
const MAX_ALIASES = 100;
const LIMITS = { maxAstNodes: 2_000, maxDepth: 50 } as const;
/** Words that loop over a list, wherever they stand in an expression. */
const LOOPS = /\b(?:all|exists|exists_one|filter|map)\b/g;
const MAX_STEPS = 1_000_000;
const ROLES = ["all", "base", "leaf"] as const;
const LEVELS = ["deny", "warn"] as const;
const SUBJECTS = ["image", "base"] as const;

/** A rule for how images are built: an image breaks it when the CEL expression `deny` is true. */
export interface BuildRule {
  readonly id: string;
  /** Images that others are to stand on, those that nothing stands on, or both. */
  readonly for: (typeof ROLES)[number];
  /** `warn`: it is told, and the image passes. */
  readonly level: (typeof LEVELS)[number];
  /** `base`: it asks of nothing but what the image stands on, and so can be asked of one that nobody has scanned. */
  readonly about: (typeof SUBJECTS)[number];
  readonly deny: string;
  readonly message: string;
}

/** A file of build rules, read and checked. */
export interface BuildRules {
  readonly name: string;
  readonly rules: readonly BuildRule[];
  /** Ids of rules of the files before it that do not hold any more. */
  readonly off: readonly string[];
}

/** What rules know of an image. */
export interface BuildFacts {
  readonly image: {
    readonly reference: string;
    readonly digest: string;
    readonly platform: string;
    readonly os: { readonly id: string; readonly version: string };
    readonly sizeBytes: number;
    readonly layers: number;
    readonly labels: Readonly<Record<string, string>>;
    readonly tags: readonly string[];
    readonly grade: string;
    readonly complete: boolean;
    readonly role: "base" | "leaf";
  };
  /** Findings by severity and kind. `fixableCritical`: critical flaws with a fix. `denied`: components that are not to be used. */
  readonly counts: Readonly<Record<CountName, number>>;
  /** Ids of configuration checks that failed. */
  readonly checks: readonly string[];
  /** Names of packages. */
  readonly packages: readonly string[];
  readonly base: BaseStanding;
  /** `YYYY-MM-DD`. */
  readonly today: string;
}

export const COUNT_NAMES = [
  ...(["critical", "high", "medium", "low", "exploited", "fixable", "fixableCritical", "fixableHigh"] as const),
  ...(["fixableExploited", "secrets", "malware", "denied", "misconfigurations"] as const),
] as const;
export type CountName = (typeof COUNT_NAMES)[number];

/** A rule that an image breaks. */
export interface BuildViolation {
  readonly policy: string;
  readonly rule: string;
  readonly level: "deny" | "warn";
  readonly message: string;
}

/** What the rules say of an image. It passes where only warnings are left. */
export interface Assessment {
  readonly passed: boolean;
  readonly violations: readonly BuildViolation[];
}

let shared: Environment | undefined;
function environment(): Environment {
  shared ??= new Environment({ limits: LIMITS })
    .registerVariable("image", "map")
    .registerVariable("counts", "map")
    .registerVariable("checks", "list")
    .registerVariable("packages", "list")
    .registerVariable("base", "map")
    .registerVariable("today", "string");
  return shared;
}

/**
 * Reads a file of build rules (YAML). Expressions are parsed and checked here, and tried on an image, so that a spelling
 * mistake is told before an image is judged.
 *
 * @throws PolicyError `POLICY_INVALID` that names the file, the rule and what is wrong
 * @example readBuildRules("name: ours\nrules:\n  - id: small\n    deny: image.sizeBytes > 100000000\n    message: too large", "ours.yaml");
 */
export function readBuildRules(text: string, file: string): BuildRules {
  if (text.length > MAX_FILE_CHARACTERS) throw invalid(file, `it has more than ${MAX_FILE_CHARACTERS} characters`);
  const fields = mapping(parsed(text, file), file, "the file");
  refuseUnknown(fields, ["name", "description", "rules", "off"], file, "the file");
  const rules = list(fields, "rules", file).map((entry, at) => readRule(entry, at, file));
  const off = list(fields, "off", file).map((entry) => {
    if (typeof entry !== "string") throw invalid(file, "off must be a list of rule ids");
    return entry;
  });
  if (rules.length + off.length === 0) throw invalid(file, "it has neither rules nor off");
  if (rules.length > MAX_RULES) throw invalid(file, `it has more than ${MAX_RULES} rules`);
  const ids = rules.map(({ id }) => id);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) throw invalid(file, `two rules have the id "${twice}"`);
  return { name: words(fields, "name", file, "the file"), rules, off };
}

/**
 * Judges an image by files of rules. A rule that cannot be evaluated counts as broken rather than letting the image pass.
 *
 * @example assess(facts, [readBuildRules(text, "build-rules.yaml")]).passed
 */
export function assess(facts: BuildFacts, files: readonly BuildRules[]): Assessment {
  return judgeBy(facts, files, () => true);
}

/**
 * Asks only what the image stands on: rules that are about bases.
 *
 * @param platform of the image; nothing else of it is known but its name
 */
export function assessBase(
  base: BaseStanding,
  image: { readonly reference: string; readonly platform: string; readonly role: "base" | "leaf" },
  files: readonly BuildRules[],
  today: string,
): Assessment {
  const counts = Object.fromEntries(COUNT_NAMES.map((name) => [name, 0])) as Record<CountName, number>;
  const nothing = { ...{ digest: "", sizeBytes: 0, layers: 0, labels: {}, tags: [], grade: "" }, complete: true };
  const facts = {
    image: { ...nothing, os: { id: "", version: "" }, ...image },
    counts,
    checks: [],
    packages: [],
    base,
    today,
  };
  return judgeBy(facts, files, ({ about }) => about === "base");
}

function judgeBy(facts: BuildFacts, files: readonly BuildRules[], isAsked: (rule: BuildRule) => boolean): Assessment {
  const violations: BuildViolation[] = [];
  const context = facts as unknown as Readonly<Record<string, unknown>>;
  for (const [at, { name, rules }] of files.entries()) {
    const off = new Set(files.slice(at + 1).flatMap((later) => later.off));
    for (const rule of rules) {
      if (!isAsked(rule) || off.has(rule.id) || (rule.for !== "all" && rule.for !== facts.image.role)) continue;
      const broken = breaks(rule, context);
      if (broken === undefined) continue;
      violations.push({ policy: name, rule: rule.id, level: rule.level, message: broken });
    }
  }
  return { passed: violations.every(({ level }) => level === "warn"), violations };
}

const compiled = new WeakMap<BuildRule, ReturnType<typeof compileBounded>>();

function breaks(rule: BuildRule, context: Readonly<Record<string, unknown>>): string | undefined {
  try {
    const evaluate = compiled.get(rule) ?? compileBounded(environment(), rule.deny, MAX_STEPS);
    compiled.set(rule, evaluate);
    return evaluate(context) === true ? rule.message : undefined;
  } catch (cause) {
    return `the rule cannot be evaluated: ${firstLine(cause)}`;
  }
}

function readRule(entry: unknown, at: number, file: string): BuildRule {
  const place = `rule ${at + 1}`;
  const fields = mapping(entry, file, place);
  refuseUnknown(fields, ["id", "description", "for", "level", "about", "deny", "message"], file, place);
  const id = words(fields, "id", file, place);
  const deny = words(fields, "deny", file, `rule "${id}"`);
  demandBounded(deny, id, file);
  const checked = environment().check(deny);
  if (!checked.valid) throw invalid(file, `rule "${id}": ${firstLine(checked.error)}`, checked.error);
  if (checked.type !== "bool" && checked.type !== "dyn")
    throw invalid(file, `rule "${id}": the expression gives ${checked.type}, but deny needs true or false`);
  tryOut(deny, id, file);
  return {
    ...{ id, deny, message: words(fields, "message", file, `rule "${id}"`) },
    for: oneOf(fields.for ?? "all", ROLES, file, `rule "${id}": for`),
    about: oneOf(fields.about ?? "image", SUBJECTS, file, `rule "${id}": about`),
    level: oneOf(fields.level ?? "deny", LEVELS, file, `rule "${id}": level`),
  };
}

/** Rules of one tenant run beside everybody else's: none may loop in a loop. */
function demandBounded(deny: string, id: string, file: string): void {
  if ((deny.match(LOOPS) ?? []).length > 1)
    throw invalid(file, `rule "${id}": it loops more than once; make two rules of it`);
}

/** Members of maps are only known when a rule runs: it is run once on an image that has everything. */
function tryOut(deny: string, id: string, file: string): void {
  let value: unknown;
  try {
    value = compileBounded(environment(), deny, MAX_STEPS)(SAMPLE as unknown as Readonly<Record<string, unknown>>);
  } catch (cause) {
    throw invalid(file, `rule "${id}": ${firstLine(cause)}; guard optional labels with has() or "in"`, cause);
  }
  if (typeof value !== "boolean") throw invalid(file, `rule "${id}": deny gives ${String(value)}, not true or false`);
}

const SAMPLE: BuildFacts = {
  image: {
    ...{ reference: "registry.example/app:1", digest: "sha256:0", platform: "linux/amd64", sizeBytes: 1, layers: 1 },
    ...{ os: { id: "debian", version: "12" }, labels: {}, tags: ["1"], grade: "", complete: true, role: "leaf" },
  },
  counts: Object.fromEntries(COUNT_NAMES.map((name) => [name, 0])) as Record<CountName, number>,
  checks: ["image-shell"],
  packages: ["libc6"],
  base: {
    ...{ state: "golden", reference: "registry.example/os:12", digest: "sha256:1", chain: "sha256:2", layers: 1 },
    ...{ tags: ["12"], pinned: true, public: false, revokedBelow: [] },
  },
  today: "2026-01-31",
};

type Fields = Readonly<Record<string, unknown>>;

function parsed(text: string, file: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    throw invalid(file, `it is not YAML: ${firstLine(cause)}`, cause);
  }
}

function mapping(value: unknown, file: string, place: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw invalid(file, `${place} must be a mapping`);
}

function list(fields: Fields, key: string, file: string): readonly unknown[] {
  const value = fields[key] ?? [];
  if (Array.isArray(value)) return value;
  throw invalid(file, `"${key}" must be a list`);
}

function words(fields: Fields, key: string, file: string, place: string): string {
  const value = fields[key];
  if (typeof value === "string" && value.trim() !== "") return value;
  throw invalid(file, `${place} needs "${key}" as text`);
}

function oneOf<Word extends string>(value: unknown, known: readonly Word[], file: string, place: string): Word {
  const found = known.find((word) => word === value);
  if (found !== undefined) return found;
  throw invalid(file, `${place} must be one of ${known.join(", ")}`);
}

function refuseUnknown(fields: Fields, known: readonly string[], file: string, place: string): void {
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw invalid(file, `${place} has an unknown key "${unknown}"; known: ${known.join(", ")}`);
}

function invalid(file: string, what: string, cause?: unknown): PolicyError {
  const next = "correct the file; docs/golden-images.md shows the form";
  return new PolicyError("POLICY_INVALID", `build rules ${file}: ${what}`, next, cause);
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0] ?? text;
}
