import type { PackageFact, PackageType, VersionScheme } from "@bulwark/model";
import { cargoVersions } from "./cargo/version.ts";
import { composerVersions } from "./composer/version.ts";
import { gemVersions } from "./gem/version.ts";
import { genericVersions } from "./generic/version.ts";
import { golangVersions } from "./golang/version.ts";
import { mavenVersions } from "./maven/version.ts";
import { nugetVersions } from "./nuget/version.ts";
import { pep440Versions } from "./pypi/version.ts";
import { semverVersions } from "./semver/version.ts";

/** An ecosystem without releases of its own: a registry of a language, or Bitnami. */
export interface Language {
  readonly type: PackageType;
  /** As OSV names it: "Defined ecosystems" of the OSV schema. */
  readonly osv: string;
  readonly versions: VersionScheme;
  /** The one spelling of a name. */
  normalizeName(name: string): string;
  /** What stands between namespace and name in advisories. */
  readonly separator: string;
}

const same = (name: string) => name;
const lowerCase = (name: string) => name.toLowerCase();

/** Every language ecosystem there is. A new one is one line here, and its version order. */
export const languages: readonly Language[] = [
  { type: "npm", osv: "npm", versions: semverVersions, normalizeName: same, separator: "/" },
  { type: "pypi", osv: "PyPI", versions: pep440Versions, normalizeName: normalizePypi, separator: "" },
  { type: "maven", osv: "Maven", versions: mavenVersions, normalizeName: same, separator: ":" },
  { type: "golang", osv: "Go", versions: golangVersions, normalizeName: same, separator: "/" },
  { type: "cargo", osv: "crates.io", versions: cargoVersions, normalizeName: same, separator: "" },
  { type: "gem", osv: "RubyGems", versions: gemVersions, normalizeName: same, separator: "" },
  { type: "composer", osv: "Packagist", versions: composerVersions, normalizeName: lowerCase, separator: "/" },
  { type: "nuget", osv: "NuGet", versions: nugetVersions, normalizeName: lowerCase, separator: "" },
  { type: "generic", osv: "Bitnami", versions: genericVersions, normalizeName: lowerCase, separator: "/" },
];

/** The name an advisory uses: namespace and name in one, normalised. */
export function advisoryNameOf(language: Language, { namespace, name }: PackageFact): string {
  return language.normalizeName(namespace === "" ? name : `${namespace}${language.separator}${name}`);
}

/** PEP 503, "Normalized Names". */
function normalizePypi(name: string): string {
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}
