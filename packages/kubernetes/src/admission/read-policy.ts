import { type Fields, fieldsOf } from "@bulwark/model";
import type { Meter } from "@bulwark/policy";
import { parse as parseYaml } from "yaml";
import { AdmissionError } from "./errors.ts";
import { compileExpression, firstLine } from "./expression.ts";
import { compileMessage } from "./message.ts";
import type { ContainerType } from "./pod.ts";
import {
  type AdmissionPolicy,
  type AdmissionRule,
  MODES,
  type Mode,
  type Scope,
  type Strictness,
  SUBJECTS,
  UNKNOWN_CHOICES,
} from "./policy.ts";

const MAX_POLICY_CHARACTERS = 256 * 1024;
const MAX_ALIASES = 100;
const MAX_RULES = 100;
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const CONTAINER_TYPES: readonly ContainerType[] = ["container", "init", "ephemeral", "volume"];

/**
 * Reads an admission policy (YAML). Every expression is parsed and type-checked here, so that a spelling mistake is told before
 * an object is judged.
 *
 * @param file its path, for messages
 * @throws AdmissionError `ADMISSION_POLICY_INVALID` that names the file, the rule and what is wrong
 * @example readAdmissionPolicy("name: calm\nrules:\n  - id: r\n    on: pod\n    deny: pod.spec.?hostPID.orValue(false)", "calm.yaml").rules.length // 1
 */
export function readAdmissionPolicy(text: string, file: string): AdmissionPolicy {
  const place = { file, what: "the policy" };
  if (text.length > MAX_POLICY_CHARACTERS) throw invalid(file, `it has more than ${MAX_POLICY_CHARACTERS} characters`);
  const fields = mapping(parsed(text, file), place);
  const known = [
    "name",
    "title",
    "description",
    "category",
    "mode",
    "onError",
    "unknown",
    "scope",
    "params",
    "stricter",
  ];
  refuseUnknown(fields, [...known, "rules"], place);
  const name = words(fields, "name", place);
  if (!NAME.test(name))
    throw invalid(file, `its name "${name}" must be lower-case letters, digits and hyphens, 63 at most`);
  const rules = list(fields, "rules", place).map((entry, at) => readRule(entry, at, file));
  if (rules.length === 0 || rules.length > MAX_RULES) throw invalid(file, `it must have 1 to ${MAX_RULES} rules`);
  const ids = rules.map(({ id }) => id);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) throw invalid(file, `two rules have the id "${twice}"`);
  return {
    name,
    title: optional(fields, "title", name, place),
    description: optional(fields, "description", "", place),
    category: optional(fields, "category", "own", place),
    mode: oneOf(fields.mode ?? "audit", MODES, "mode", place),
    onError: oneOf(fields.onError ?? "deny", ["deny", "allow"] as const, "onError", place),
    unknown: oneOf(fields.unknown ?? "audit", UNKNOWN_CHOICES, "unknown", place),
    scope: readScope(fields.scope ?? {}, file),
    params: fields.params === undefined ? {} : mapping(fields.params, { file, what: "params" }),
    stricter: list(fields, "stricter", place).map((entry, at) => readStrictness(entry, at, file)),
    rules,
  };
}

function readRule(entry: unknown, at: number, file: string): AdmissionRule {
  const unnamed = { file, what: `rule ${at + 1}` };
  const fields = mapping(entry, unnamed);
  refuseUnknown(fields, ["id", "on", "containers", "deny", "title", "message"], unnamed);
  const id = words(fields, "id", unnamed);
  const place = { file, what: `rule "${id}"` };
  if (!NAME.test(id)) throw invalid(file, `${place.what}: an id is lower-case letters, digits and hyphens`);
  const deny = words(fields, "deny", place);
  const title = optional(fields, "title", `${id} is violated`, place);
  const message = optional(fields, "message", title, place);
  const on = oneOf(fields.on, SUBJECTS, "on", place);
  checkRule({ deny, message, on }, place);
  const containers = list(fields, "containers", place).map((word) => oneOf(word, CONTAINER_TYPES, "containers", place));
  const all = on === "image" ? CONTAINER_TYPES : CONTAINER_TYPES.slice(0, 3);
  return { id, on, deny, title, message, containers: containers.length === 0 ? all : containers };
}

function checkRule({ deny, message, on }: Pick<AdmissionRule, "deny" | "message" | "on">, place: Place): void {
  const meter: Meter = { left: 0, isExhausted: false, values: 0 };
  try {
    const { uses } = compileExpression(deny, meter);
    const used = [...uses, ...compileMessage(message, meter).expressions.flatMap((each) => [...each.uses])];
    const perContainer = used.find((name) => name === "container" || name === "image");
    if (perContainer !== undefined && (on === "object" || on === "pod"))
      throw new Error(`it speaks of ${perContainer}, but is asked once for the ${on}; say on: container or on: image`);
  } catch (cause) {
    throw invalid(place.file, `${place.what}: ${firstLine(cause)}`, cause);
  }
}

function readScope(value: unknown, file: string): Scope {
  const place = { file, what: "scope" };
  const fields = mapping(value, place);
  const lists = ["kinds", "operations", "namespaces", "exceptNamespaces", "grades", "clusters"] as const;
  refuseUnknown(fields, [...lists, "labels", "namespaceLabels", "exposed"], place);
  const [kinds, operations, namespaces, exceptNamespaces, grades, clusters] = lists.map((key) =>
    texts(fields, key, place),
  ) as [string[], string[], string[], string[], string[], string[]];
  return {
    ...{ kinds, operations, namespaces, exceptNamespaces, grades, clusters },
    labels: textMap(fields.labels ?? {}, { file, what: "scope.labels" }),
    namespaceLabels: textMap(fields.namespaceLabels ?? {}, { file, what: "scope.namespaceLabels" }),
    exposed: flag(fields, "exposed", place),
  };
}

function readStrictness(entry: unknown, at: number, file: string): Strictness {
  const place = { file, what: `stricter ${at + 1}` };
  const fields = mapping(entry, place);
  refuseUnknown(fields, ["grades", "exposed", "params", "mode"], place);
  const grades = texts(fields, "grades", place);
  const exposed = flag(fields, "exposed", place);
  if (grades.length === 0 && !exposed) throw invalid(file, `${place.what} needs grades or exposed: true`);
  const mode: Mode | "" = fields.mode === undefined ? "" : oneOf(fields.mode, MODES, "mode", place);
  return { grades, exposed, mode, params: fields.params === undefined ? {} : mapping(fields.params, place) };
}

interface Place {
  readonly file: string;
  readonly what: string;
}

function parsed(text: string, file: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    const why = firstLine(cause);
    const several = why.includes("multiple documents");
    throw invalid(
      file,
      several ? "it holds several documents; put each policy into a file" : `it is not YAML: ${why}`,
      cause,
    );
  }
}

function mapping(value: unknown, { file, what }: Place): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return fieldsOf(value);
  throw invalid(file, `${what} must be a mapping`);
}

function list(fields: Fields, key: string, { file, what }: Place): readonly unknown[] {
  const value = fields[key] ?? [];
  if (Array.isArray(value)) return value;
  throw invalid(file, `${what}: "${key}" must be a list`);
}

function texts(fields: Fields, key: string, place: Place): readonly string[] {
  return list(fields, key, place).map((entry) => {
    if (typeof entry === "string" && entry !== "") return entry;
    throw invalid(place.file, `${place.what}: "${key}" must be a list of texts`);
  });
}

function textMap(value: unknown, place: Place): Readonly<Record<string, string>> {
  const entries = Object.entries(mapping(value, place));
  const odd = entries.find(([, pattern]) => typeof pattern !== "string");
  if (odd !== undefined) throw invalid(place.file, `${place.what}: "${odd[0]}" needs a pattern as text`);
  return Object.fromEntries(entries) as Record<string, string>;
}

function flag(fields: Fields, key: string, { file, what }: Place): boolean {
  const value = fields[key] ?? false;
  if (typeof value === "boolean") return value;
  throw invalid(file, `${what}: "${key}" must be true or false`);
}

function words(fields: Fields, key: string, { file, what }: Place): string {
  const value = fields[key];
  if (typeof value === "string" && value.trim() !== "") return value;
  throw invalid(file, `${what} needs "${key}" as text`);
}

function optional(fields: Fields, key: string, otherwise: string, place: Place): string {
  return fields[key] === undefined ? otherwise : words(fields, key, place);
}

function oneOf<Word extends string>(value: unknown, known: readonly Word[], key: string, { file, what }: Place): Word {
  const found = known.find((word) => word === value);
  if (found !== undefined) return found;
  throw invalid(file, `${what}: "${key}" must be one of ${known.join(", ")}`);
}

function refuseUnknown(fields: Fields, known: readonly string[], { file, what }: Place): void {
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown !== undefined) throw invalid(file, `${what} has an unknown key "${unknown}"; known: ${known.join(", ")}`);
}

function invalid(file: string, what: string, cause?: unknown): AdmissionError {
  const next = "correct the file; docs/admission.md shows the form";
  return new AdmissionError("ADMISSION_POLICY_INVALID", `admission policy ${file}: ${what}`, next, cause);
}
