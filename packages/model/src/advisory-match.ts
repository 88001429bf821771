import type { Cvss, ExploitPrediction, FixStatus, KnownExploited } from "./report.ts";
import type { Severity } from "./severity.ts";

/** A flaw that a package version has. */
export interface AdvisoryMatch {
  /** CVE id where there is one. */
  readonly id: string;
  readonly aliases: readonly string[];
  /** Ids of the records that hold the version. */
  readonly advisories: readonly string[];
  readonly severity: Severity;
  readonly title: string;
  readonly cvss?: Cvss;
  /** Smallest version above the installed one that no matching record with a fix holds; empty when there is none. */
  readonly fixedVersion: string;
  readonly status: FixStatus;
  /** Readable: `fixed 2.15.0`. */
  readonly range: string;
  readonly kev?: KnownExploited;
  readonly epss?: ExploitPrediction;
  readonly publicExploit: boolean;
  readonly malicious: boolean;
  readonly references: readonly string[];
  readonly priority: { readonly score: number; readonly reasons: readonly string[] };
}
