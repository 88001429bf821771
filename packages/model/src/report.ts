import type { Image, Origin } from "./image.ts";
import type { Package } from "./package.ts";
import type { Severity } from "./severity.ts";

export type FindingKind = "vulnerability" | "secret" | "malware" | "webshell" | "misconfiguration";

/** What the packager says about a flaw, where the advisory tells. */
export type FixStatus = "fixed" | "open" | "no-fix-planned" | "not-affected" | "undetermined";

/** Known exploitation, from CISA's catalogue. Dates are `YYYY-MM-DD`. */
export interface KnownExploited {
  readonly added: string;
  readonly due: string;
  readonly ransomware: boolean;
}

/** FIRST's exploit prediction: probability of exploitation in the next 30 days, and its rank among all flaws, both 0 to 1. */
export interface ExploitPrediction {
  readonly score: number;
  readonly percentile: number;
}

/** Severity vector and its base score, 0 to 10. */
export interface Cvss {
  readonly version: "2.0" | "3.0" | "3.1" | "4.0";
  readonly vector: string;
  readonly score: number;
}

/** Something wrong with the image. The field names are the command line's stable contract. */
export interface Finding {
  readonly kind: FindingKind;
  /** CVE id where there is one, else the advisory's own. */
  readonly id: string;
  readonly severity: Severity;
  readonly title: string;
  readonly package?: { readonly purl: string; readonly name: string; readonly version: string };
  /** Empty or absent: there is none yet. */
  readonly fixedVersion?: string;
  readonly status?: FixStatus;
  /** Absolute path inside the image. */
  readonly path?: string;
  readonly line?: number;
  readonly layer: number;
  readonly origin: Origin;
  readonly kev?: KnownExploited;
  readonly epss?: ExploitPrediction;
  readonly cvss?: Cvss;
  readonly aliases?: readonly string[];
  readonly evidence?: Evidence;
  /** What to do next, one sentence. */
  readonly advice: string;
}

/** Who found it, in which version, and by what. */
export interface Evidence {
  /** The part that made the finding: `advisory`, `secrets`, … */
  readonly foundBy: string;
  readonly version: string;
  /** Ids of the records that matched. */
  readonly advisories?: readonly string[];
  /** The range that holds the version, readable: `introduced 2.0, fixed 2.15.0`. */
  readonly range?: string;
  /** All packages of the image that carry the flaw by this finding: binaries of one source package. */
  readonly packages?: readonly string[];
  /** Further places of the same package in the same layer. */
  readonly paths?: readonly string[];
  /** How urgent, 0 to 100, from severity, exploitability and whether a fix exists, with its reasons. */
  readonly priority?: { readonly score: number; readonly reasons: readonly string[] };
  readonly references?: readonly string[];
  /** What was seen in the file, one line, secrets redacted. */
  readonly detail?: string;
  /** Tells two secrets apart without telling either. */
  readonly fingerprint?: string;
  /** Index of the layer that removes the file: it is gone from the running container, yet not from the image. */
  readonly removedIn?: number;
}

/** A finding that a VEX statement, a waiver, a comment, a policy or another analyser took out of the verdict, with who said so. */
export interface SuppressedFinding {
  readonly finding: Finding;
  /** `comment`: in the file itself. `analyser`: the outside analyser's own report holds it as suppressed. */
  readonly by: "vex" | "waiver" | "comment" | "policy" | "analyser";
  /** The document, policy file or analyser's report, and its author where told. */
  readonly source: string;
  readonly reason: string;
  /** `YYYY-MM-DD` after which it counts again; empty for never. */
  readonly until: string;
}

/** Something that could not be read or judged. Each one clears `complete`. */
export interface Problem {
  readonly path: string;
  /** Index into the image's layers; -1 for the image as a whole. */
  readonly layer: number;
  readonly what: string;
}

export interface SeverityCounts {
  readonly critical: number;
  readonly high: number;
  readonly medium: number;
  readonly low: number;
  readonly negligible: number;
  readonly unknown: number;
}

export interface Summary extends SeverityCounts {
  readonly byOrigin: { readonly base: SeverityCounts; readonly own: SeverityCounts };
}

export interface Violation {
  readonly policy: string;
  readonly rule: string;
  readonly message: string;
}

export interface Verdict {
  readonly passed: boolean;
  readonly violations: readonly Violation[];
}

/** A signature or attestation that was verified and satisfied a rule of the signature policy. */
export interface VerifiedSignature {
  readonly rule: string;
  /** Tag or digest where it lies. */
  readonly place: string;
  /** Subject alternative name of the certificate; empty for keys. */
  readonly identity: string;
  readonly issuer: string;
  /** Of an attestation; empty for plain signatures. */
  readonly predicateType: string;
}

/** State of the advisory database a report was made with. */
export interface DatabaseInfo {
  /** RFC 3339. */
  readonly built: string;
  readonly records: number;
  /** True when only the shipped seed of landmark advisories was used. */
  readonly seedOnly: boolean;
}

/** What a scan looks for: flaws of packages, secrets, malware and web shells, settings. */
export type ScannerName = "vuln" | "secret" | "malware" | "config";

/** The scan report: DESIGN.md's `--format json`. */
export interface ScanReport {
  readonly schemaVersion: 1;
  readonly image: Image;
  readonly packages: readonly Package[];
  readonly findings: readonly Finding[];
  readonly suppressed: readonly SuppressedFinding[];
  readonly summary: Summary;
  readonly complete: boolean;
  readonly problems: readonly Problem[];
  /** What was looked for: nothing can be said of the rest. Left out: flaws of packages alone. */
  readonly scanners?: readonly ScannerName[];
  readonly database: DatabaseInfo | null;
  /** There when signatures were asked for. */
  readonly signatures?: readonly VerifiedSignature[];
  readonly verdict: Verdict;
}
