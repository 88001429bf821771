import type { VersionScheme } from "@bulwark/model";
import { compareDigits, compareLists, compareText, MAX_VERSION_LENGTH, significantDigits } from "../versions.ts";

/** A dot-separated identifier of a pre-release: a number or a text. */
interface Identifier {
  readonly numeric: boolean;
  readonly text: string;
}

export interface SemanticVersion {
  /** Significant digits of major, minor, patch and whatever follows; missing ones count as zero. */
  readonly numbers: readonly string[];
  /** Undefined for a release. */
  readonly preRelease: readonly Identifier[] | undefined;
}

const STRICT = /^([0-9]+\.[0-9]+\.[0-9]+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]*)?$/;
/** As registries and advisories write it: a leading `v` or `=`, fewer or more numbers, `1.0.0beta` without the hyphen. */
const LENIENT =
  /^[=v]{0,2} {0,4}([0-9]+(?:\.[0-9]+)*)(?:-?([A-Za-z][0-9A-Za-z.-]*)|-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.+-]*)?$/;
const END: Identifier = { numeric: true, text: "" };

/**
 * Precedence of Semantic Versioning 2.0.0 (section 11), read leniently. Build metadata has no part in it.
 *
 * @example semverVersions.compare(semverVersions.parse("1.0.0-rc.1")!, semverVersions.parse("v1.0")!) < 0
 */
export const semverVersions: VersionScheme<SemanticVersion> = {
  id: "semver",
  parse: (version) => parseWith(LENIENT, version),
  compare: compareSemantic,
};

/** Parses `major.minor.patch[-pre][+build]` and nothing else. Undefined when it is not of that form. */
export function parseStrict(version: string): SemanticVersion | undefined {
  return parseWith(STRICT, version);
}

/** Orders by the numbers; a release comes after its pre-releases. */
export function compareSemantic(a: SemanticVersion, b: SemanticVersion): number {
  const order = compareLists(a.numbers, b.numbers, "", compareDigits);
  if (order !== 0) return order;
  if (a.preRelease === undefined) return b.preRelease === undefined ? 0 : 1;
  if (b.preRelease === undefined) return -1;
  return compareIdentifierLists(a.preRelease, b.preRelease);
}

function parseWith(shape: RegExp, version: string): SemanticVersion | undefined {
  if (version.length > MAX_VERSION_LENGTH) return undefined;
  const match = shape.exec(version.trim());
  if (match === null) return undefined;
  const preRelease = match[2] ?? match[3];
  return {
    numbers: match[1]!.split(".").map(significantDigits),
    preRelease: preRelease?.split(".").map(identifierOf),
  };
}

function identifierOf(text: string): Identifier {
  const numeric = /^[0-9]+$/.test(text);
  return { numeric, text: numeric ? significantDigits(text) : text };
}

/** Numbers before texts; where all are equal the longer list is greater. */
function compareIdentifierLists(a: readonly Identifier[], b: readonly Identifier[]): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index++) {
    const order = compareIdentifiers(a[index] ?? END, b[index] ?? END);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareIdentifiers(a: Identifier, b: Identifier): number {
  if (a.numeric !== b.numeric) return a.numeric ? -1 : 1;
  return a.numeric ? compareDigits(a.text, b.text) : compareText(a.text, b.text);
}
