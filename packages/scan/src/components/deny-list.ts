import { factOfPurl, schemeOfType } from "@bulwark/ecosystems";
import {
  type Fields,
  type Finding,
  fieldsOf,
  type Image,
  type PackageFact,
  SEVERITIES,
  type Severity,
  textOf,
} from "@bulwark/model";
import { parse as parseYaml } from "yaml";
import { ScanError } from "../errors.ts";
import { type FoundPackage, fullName } from "../found-package.ts";

const MAX_LIST_BYTES = 4 * 1024 * 1024;
const MAX_ALIASES = 100;
const KEYS = ["purl", "versions", "severity", "reason", "advice"];
const COMPARATOR = /^(<=|>=|<|>|=)?\s*(\S+)$/;

/** A component that is not to be used. */
export interface DeniedComponent {
  readonly type: PackageFact["type"];
  /** Name with namespace, as {@link fullName} writes it; `*` at the end stands for any. */
  readonly name: string;
  /** Alternatives of comparators that all have to hold; empty for every version. */
  readonly ranges: readonly (readonly Comparator[])[];
  readonly versions: string;
  readonly severity: Severity;
  readonly reason: string;
  readonly advice: string;
}

interface Comparator {
  readonly operator: "<" | "<=" | ">" | ">=" | "=";
  readonly version: string;
}

/**
 * Reads a list of denied components (YAML): purl without a version, `versions` such as `<2.5.33 || >=6.0.0, <6.3.0.2`.
 *
 * @throws ScanError `DENY_LIST_INVALID` with the entry's number
 */
export function readDenyList(text: string, file: string): readonly DeniedComponent[] {
  if (text.length > MAX_LIST_BYTES) throw invalid(file, `it is larger than ${MAX_LIST_BYTES} bytes`);
  let document: unknown;
  try {
    document = parseYaml(text, { maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    throw invalid(file, cause instanceof Error ? (cause.message.split("\n", 1)[0] ?? "") : String(cause), cause);
  }
  const entries = fieldsOf(document).components;
  if (!Array.isArray(entries)) throw invalid(file, 'it needs "components", a list');
  return entries.map((entry, at) => readEntry(fieldsOf(entry), `component ${at + 1}`, file));
}

function readEntry(fields: Fields, place: string, file: string): DeniedComponent {
  const unknown = Object.keys(fields).find((key) => !KEYS.includes(key));
  if (unknown !== undefined)
    throw invalid(file, `${place} has an unknown key "${unknown}"; known are ${KEYS.join(", ")}`);
  const fact = factOfPurl(textOf(fields.purl));
  if (fact === undefined || fact.version !== "")
    throw invalid(file, `${place} needs "purl": a package URL without a version`);
  const reason = textOf(fields.reason);
  if (reason === "") throw invalid(file, `${place} needs "reason"`);
  const severity = SEVERITIES.find((known) => known === (fields.severity ?? "high"));
  if (severity === undefined) throw invalid(file, `${place}: severity must be one of ${SEVERITIES.join(", ")}`);
  const versions = textOf(fields.versions).trim();
  const ranges = versions === "" ? [] : versions.split("||").map((part) => readComparators(part, fact, place, file));
  const advice = textOf(fields.advice) || "Replace it.";
  return { type: fact.type, name: fullName(fact), ranges, versions, severity, reason, advice };
}

function readComparators(part: string, { type }: PackageFact, place: string, file: string): readonly Comparator[] {
  return part.split(",").map((word) => {
    const match = COMPARATOR.exec(word.trim());
    const version = match?.[2] ?? "";
    if (schemeOfType(type).parse(version) === undefined) {
      throw invalid(file, `${place}: "${word.trim()}" compares with no ${type} version`);
    }
    return { operator: (match?.[1] ?? "=") as Comparator["operator"], version };
  });
}

/** Findings for the packages that a list denies. A version that cannot be ordered counts as denied, and says so. */
export function findDenied(
  packages: readonly FoundPackage[],
  denied: readonly DeniedComponent[],
  image: Image,
): readonly Finding[] {
  const byName = Map.groupBy(denied, ({ type, name }) => `${type} ${name.endsWith("*") ? "*" : name}`);
  return packages.flatMap((found) => {
    const { type } = found.fact;
    const named = [...(byName.get(`${type} ${found.name}`) ?? []), ...(byName.get(`${type} *`) ?? [])];
    const match = named.find((entry) => fits(entry, found));
    return match === undefined ? [] : [findingOf(found, match, image)];
  });
}

function fits({ name, type, ranges }: DeniedComponent, found: FoundPackage): boolean {
  if (name.endsWith("*") && !found.name.startsWith(name.slice(0, -1))) return false;
  const scheme = schemeOfType(type);
  const version = scheme.parse(found.version);
  if (ranges.length === 0 || version === undefined) return true;
  return ranges.some((all) =>
    all.every((one) => holds(scheme.compare(version, scheme.parse(one.version)), one.operator)),
  );
}

function holds(order: number, operator: Comparator["operator"]): boolean {
  if (operator === "=") return order === 0;
  if (operator === "<") return order < 0;
  if (operator === "<=") return order <= 0;
  return operator === ">" ? order > 0 : order >= 0;
}

function findingOf(found: FoundPackage, entry: DeniedComponent, image: Image): Finding {
  const { purl, name, version, path, layer } = found;
  return {
    kind: "misconfiguration",
    id: "denied-component",
    severity: entry.severity,
    title: `${name} is on the list of denied components: ${entry.reason}`,
    package: { purl, name, version },
    path,
    layer,
    origin: image.layers[layer]?.origin ?? "own",
    evidence: { foundBy: "deny-list", version: "1", detail: entry.versions === "" ? "every version" : entry.versions },
    advice: entry.advice,
  };
}

function invalid(file: string, what: string, cause?: unknown): ScanError {
  return new ScanError(
    "DENY_LIST_INVALID",
    `deny list ${file}: ${what}`,
    "correct the file; docs/components.md shows the form",
    cause,
  );
}
