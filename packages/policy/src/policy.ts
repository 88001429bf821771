import type { Severity } from "@bulwark/model";

/** One rule: the image violates it when the CEL expression `deny` is true. */
export interface PolicyRule {
  readonly id: string;
  readonly deny: string;
  /** Shown to the person whose image was refused. */
  readonly message: string;
}

/** A finding that somebody answers for, until a day. */
export interface Waiver {
  /** Id or alias of the finding: `CVE-2021-44228`. */
  readonly finding: string;
  /** Glob over the package's purl or name; `*` when left out. */
  readonly package: string;
  /** Glob over the path; `*` when left out. */
  readonly path: string;
  readonly reason: string;
  /** Last day on which it holds, `YYYY-MM-DD`. */
  readonly until: string;
  readonly approvedBy: string;
}

/** How a policy sees certain findings: with another severity, or not at all. */
export interface FindingRule {
  /** Glob over the finding's id. */
  readonly finding: string;
  /** Finding kind; empty for any. */
  readonly kind: string;
  /** Glob over the path. */
  readonly path: string;
  /** `off` takes the findings out. */
  readonly severity: Severity | "off";
  readonly reason: string;
}

/** A policy file, read and checked. */
export interface Policy {
  readonly name: string;
  /** Where it was read from, for messages. */
  readonly file: string;
  /** Globs over the image's reference; the policy is skipped for images that fit none. Empty: all images. */
  readonly images: readonly string[];
  /** Label → glob over its value; all of them have to fit. */
  readonly labels: Readonly<Record<string, string>>;
  /** Business grades; empty for any. */
  readonly grades: readonly string[];
  readonly findings: readonly FindingRule[];
  readonly rules: readonly PolicyRule[];
  readonly waivers: readonly Waiver[];
}
