import { SEVERITIES } from "@bulwark/model";
import { parse as parseYaml } from "yaml";
import { policyEnvironment } from "./environment.ts";
import { PolicyError } from "./errors.ts";
import type { FindingRule, Policy, PolicyRule, Waiver } from "./policy.ts";

const MAX_POLICY_BYTES = 1024 * 1024;
const MAX_ALIASES = 100;
const KINDS = ["vulnerability", "secret", "malware", "webshell", "misconfiguration"];
const DAY = /^\d{4}-\d{2}-\d{2}$/;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads one policy file (YAML). Every rule's expression is parsed and type-checked here, so that a spelling mistake is
 * told before an image is judged.
 *
 * @param text content of the file
 * @param file its path, for messages
 * @throws PolicyError `POLICY_INVALID` that names the file, the place and what is wrong
 * @example readPolicy("name: gate\nrules:\n  - id: none\n    deny: findings.size() > 0\n    message: no findings", "gate.yaml");
 */
export function readPolicy(text: string, file: string): Policy {
  const fields = parseFields(text, file);
  const known = ["name", "description", "images", "labels", "grades", "findings", "rules", "waivers"];
  refuseUnknown(fields, known, file, "the policy");
  const name = stringField(fields, "name", file, "the policy");
  const rules = listField(fields, "rules", file).map((entry, at) => readRule(entry, at, file));
  const waivers = listField(fields, "waivers", file).map((entry, at) => readWaiver(entry, at, file));
  const findings = listField(fields, "findings", file).map((entry, at) => readFindingRule(entry, at, file));
  if (rules.length + waivers.length + findings.length === 0)
    throw invalid(file, "it has neither rules nor waivers nor findings");
  const ids = rules.map((rule) => rule.id);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) throw invalid(file, `two rules have the id "${twice}"`);
  const images = wordsField(fields, "images", file, "reference patterns");
  const grades = wordsField(fields, "grades", file, "business grades");
  return { name, file, images, labels: readLabels(fields, file), grades, findings, rules, waivers };
}

function wordsField(fields: Fields, key: string, file: string, what: string): readonly string[] {
  return listField(fields, key, file).map((entry) => {
    if (typeof entry !== "string") throw invalid(file, `${key} must be a list of ${what}`);
    return entry;
  });
}

function readLabels(fields: Fields, file: string): Readonly<Record<string, string>> {
  if (fields.labels === undefined) return {};
  const entries = Object.entries(asFields(fields.labels, file, "labels"));
  return Object.fromEntries(
    entries.map(([name, pattern]) => {
      if (typeof pattern !== "string") throw invalid(file, `label "${name}" needs a pattern as text`);
      return [name, pattern];
    }),
  );
}

function readFindingRule(entry: unknown, at: number, file: string): FindingRule {
  const place = `finding rule ${at + 1}`;
  const fields = asFields(entry, file, place);
  refuseUnknown(fields, ["finding", "kind", "path", "severity", "reason"], file, place);
  const severity = stringField(fields, "severity", file, place);
  const known = [...SEVERITIES, "off" as const].find((word) => word === severity);
  if (known === undefined) throw invalid(file, `${place}: severity must be one of ${SEVERITIES.join(", ")}, off`);
  const kind = optionalString(fields, "kind", "", file, place);
  if (kind !== "" && !KINDS.includes(kind)) throw invalid(file, `${place}: kind must be one of ${KINDS.join(", ")}`);
  const reason = optionalString(fields, "reason", "", file, place);
  if (known === "off" && reason === "") throw invalid(file, `${place} takes findings out and needs "reason" as text`);
  const finding = stringField(fields, "finding", file, place);
  return { finding, kind, path: optionalString(fields, "path", "*", file, place), severity: known, reason };
}

function parseFields(text: string, file: string): Fields {
  if (text.length > MAX_POLICY_BYTES) throw invalid(file, `it is larger than ${MAX_POLICY_BYTES} bytes`);
  let document: unknown;
  try {
    document = parseYaml(text, { maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    throw new PolicyError("POLICY_INVALID", `${file} is not YAML: ${firstLine(cause)}`, "correct the file", cause);
  }
  return asFields(document, file, "the policy");
}

function readRule(entry: unknown, at: number, file: string): PolicyRule {
  const place = `rule ${at + 1}`;
  const fields = asFields(entry, file, place);
  refuseUnknown(fields, ["id", "description", "deny", "message"], file, place);
  const id = stringField(fields, "id", file, place);
  const deny = stringField(fields, "deny", file, `rule "${id}"`);
  checkExpression(deny, id, file);
  const message = fields.message === undefined ? `${id} is violated` : stringField(fields, "message", file, place);
  return { id, deny, message };
}

function checkExpression(expression: string, id: string, file: string): void {
  const checked = policyEnvironment().check(expression);
  if (!checked.valid) throw invalid(file, `rule "${id}": ${firstLine(checked.error)}`, checked.error);
  if (checked.type !== "bool" && checked.type !== "dyn") {
    throw invalid(file, `rule "${id}": the expression gives ${checked.type}, but deny needs true or false`);
  }
}

function readWaiver(entry: unknown, at: number, file: string): Waiver {
  const place = `waiver ${at + 1}`;
  const fields = asFields(entry, file, place);
  refuseUnknown(fields, ["finding", "package", "path", "reason", "until", "approvedBy"], file, place);
  const until = stringField(fields, "until", file, place);
  if (!isDay(until)) {
    throw invalid(file, `${place}: until is "${until}", but must be a day written YYYY-MM-DD`);
  }
  return {
    finding: stringField(fields, "finding", file, place),
    package: optionalString(fields, "package", "*", file, place),
    path: optionalString(fields, "path", "*", file, place),
    reason: stringField(fields, "reason", file, place),
    until,
    approvedBy: optionalString(fields, "approvedBy", "", file, place),
  };
}

/** The 31st of February is a slip that would otherwise hold into March. */
function isDay(text: string): boolean {
  const time = DAY.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function optionalString(fields: Fields, key: string, otherwise: string, file: string, place: string): string {
  return fields[key] === undefined ? otherwise : stringField(fields, key, file, place);
}

function stringField(fields: Fields, key: string, file: string, place: string): string {
  const value = fields[key];
  if (typeof value !== "string" || value.trim() === "") throw invalid(file, `${place} needs "${key}" as text`);
  return value;
}

function listField(fields: Fields, key: string, file: string): readonly unknown[] {
  const value = fields[key] ?? [];
  if (!Array.isArray(value)) throw invalid(file, `"${key}" must be a list`);
  return value;
}

function asFields(value: unknown, file: string, place: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid(file, `${place} must be a mapping`);
  return value as Fields;
}

function refuseUnknown(fields: Fields, known: readonly string[], file: string, place: string): void {
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw invalid(file, `${place} has an unknown key "${unknown}"; known are ${known.join(", ")}`);
}

function invalid(file: string, what: string, cause?: unknown): PolicyError {
  return new PolicyError(
    "POLICY_INVALID",
    `policy ${file}: ${what}`,
    "correct the file; docs/policies.md shows the form",
    cause,
  );
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0] ?? text;
}
