import { type Fields, fieldsOf, SEVERITIES, type Severity, severityRank } from "@bulwark/model";
import { parse } from "yaml";
import { BenchmarkError } from "../errors.ts";
import { type BenchmarkCheck, type ParameterValue, STANDARDS, type Standard } from "./check.ts";

const MAX_ALIASES = 20;

/** A ready-made selection of checks, with the parameters that go with it. */
export interface BenchmarkProfile {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly level: 1 | 2;
  /** The least severity that is judged. */
  readonly severity: Severity;
  /** Only checks that cover a section of this document; empty: all. */
  readonly standard: Standard | "";
  /** Checks that are left out, since they cost availability where this profile is for. */
  readonly off: readonly string[];
  readonly parameters: Readonly<Record<string, Readonly<Record<string, ParameterValue>>>>;
}

/**
 * Reads the profiles.
 *
 * @throws BenchmarkError `CHECK_INVALID`
 * @example readProfiles(text, "content/benchmarks/profiles.yaml").map(({ id }) => id);
 */
export function readProfiles(text: string, file: string): readonly BenchmarkProfile[] {
  const values: unknown = parse(text, { maxAliasCount: MAX_ALIASES });
  if (!Array.isArray(values)) throw invalid(file, "it must be a list of profiles");
  return values.map((value: unknown) => readOne(fieldsOf(value), file));
}

function readOne(value: Fields, file: string): BenchmarkProfile {
  const { id, title, description, level = 2, severity = "low", standard = "", off = [] } = value;
  const texts = [id, title, description].every((each) => typeof each === "string" && each !== "");
  if (!texts) throw invalid(file, "a profile has id, title and description");
  if (level !== 1 && level !== 2) throw invalid(file, `${String(id)}: the level is 1 or 2`);
  if (!SEVERITIES.includes(severity as Severity)) throw invalid(file, `${String(id)}: unknown severity`);
  if (standard !== "" && !STANDARDS.includes(standard as Standard))
    throw invalid(file, `${String(id)}: unknown standard`);
  return {
    ...{ id: String(id), title: String(title), description: String(description).trim(), level },
    ...{ severity: severity as Severity, standard: standard as Standard | "" },
    off: Array.isArray(off) ? off.map(String) : [],
    parameters: fieldsOf(value.parameters) as BenchmarkProfile["parameters"],
  };
}

/** The checks of a profile. */
export function checksOf(profile: BenchmarkProfile, checks: readonly BenchmarkCheck[]): readonly BenchmarkCheck[] {
  return checks.filter(
    (check) =>
      check.level <= profile.level &&
      severityRank(check.severity) <= severityRank(profile.severity) &&
      (profile.standard === "" || (check.references[profile.standard] ?? []).length > 0) &&
      !profile.off.includes(check.id),
  );
}

/**
 * Reads which checks make which techniques of attacks harder.
 *
 * @returns ids of checks by the id of a technique (MITRE ATT&CK, without what follows a dot)
 * @throws BenchmarkError `CHECK_INVALID`
 */
export function readTechniques(text: string, file: string): ReadonlyMap<string, readonly string[]> {
  const value: unknown = parse(text, { maxAliasCount: MAX_ALIASES });
  const entries = Object.entries(fieldsOf(value));
  for (const [technique, ids] of entries) {
    const isGood = /^T\d{4}$/.test(technique) && Array.isArray(ids) && ids.every((id) => typeof id === "string");
    if (!isGood) throw invalid(file, `${technique} is no technique with a list of checks`);
  }
  return new Map(entries as readonly (readonly [string, readonly string[]])[]);
}

function invalid(file: string, what: string): BenchmarkError {
  return new BenchmarkError("CHECK_INVALID", `${file}: ${what}`, "correct the file; docs/hardening.md shows the form");
}
