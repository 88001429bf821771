/** One event of a range: the point where it begins or ends (OSV schema, "affected[].ranges[].events"). */
export interface RangeEvent {
  readonly kind: "introduced" | "fixed" | "last_affected" | "limit";
  readonly version: string;
}

/** A package that a record speaks of. */
export interface AffectedPackage {
  readonly ecosystem: string;
  readonly name: string;
  /** GIT ranges are left out: packages have versions, not commits. */
  readonly ranges: readonly (readonly RangeEvent[])[];
  readonly versions: readonly string[];
  /** Severity words and vectors given for this package alone. */
  readonly severity: string;
  readonly vectors: readonly string[];
  /** The packager decided not to fix it, or says that it is not affected. */
  readonly decision: "" | "no-fix-planned" | "not-affected";
  /** rpm module the fix was made in. */
  readonly module: string;
}

/** An OSV record, reduced to what matching and reports need. */
export interface OsvRecord {
  readonly id: string;
  readonly modified: string;
  readonly withdrawn: boolean;
  /** Short title. */
  readonly title: string;
  /** Names of the very same flaw. */
  readonly aliases: readonly string[];
  /** Flaws this record passes on: one record of a distribution may fix several. */
  readonly upstream: readonly string[];
  readonly vectors: readonly string[];
  readonly severity: string;
  readonly references: readonly string[];
  readonly publicExploit: boolean;
  readonly affected: readonly AffectedPackage[];
}
