/**
 * How an ecosystem orders its versions. `parse` gives undefined for what is no version of the ecosystem: the comparison
 * is then undetermined and is reported as such.
 */
export interface VersionScheme<Parsed = unknown> {
  /** `dpkg`, `semver`, `pep440`, … */
  readonly id: string;
  parse(version: string): Parsed | undefined;
  /** Negative, zero or positive, as for Array.prototype.sort. A total order over parsed versions. */
  compare(a: Parsed, b: Parsed): number;
}

/** How advisories name a package: what a match needs to know. */
export interface AdvisorySubject {
  /** Normalised OSV ecosystem with its release: `Debian:12`, `npm`, `Red Hat:9`. */
  readonly ecosystem: string;
  /** Name as the ecosystem's advisories spell it, normalised: source package for OS packages, `group:artifact` for Maven. */
  readonly name: string;
  /** Version that the advisories' ranges speak of: that of the source package for OS packages. */
  readonly version: string;
  /** rpm module (`nodejs:18`) where advisories tell modules apart. */
  readonly module?: string;
}

/** Knowledge of OSV's ecosystems, given to the advisory database by its caller. */
export interface EcosystemCatalog {
  /**
   * Normalises an OSV `affected.package.ecosystem`: the same string for all spellings of one release. Undefined for
   * ecosystems without a version order here; their records are counted as skipped.
   */
  normalizeEcosystem(ecosystem: string): string | undefined;
  /** Normalises a package name (PEP 503 for PyPI, lower case for NuGet and Packagist). */
  normalizeName(ecosystem: string, name: string): string;
  /** The version order of a normalised ecosystem. */
  schemeOf(ecosystem: string): VersionScheme | undefined;
}
