import type { Severity } from "@bulwark/model";

/** A finding as rules and messages use it. */
export interface FactFinding {
  readonly id: string;
  readonly kind: string;
  readonly severity: Severity;
  readonly title: string;
  /** Name of the package; empty for what is no flaw of a package. */
  readonly package: string;
  readonly version: string;
  readonly purl: string;
  /** Empty where there is none. */
  readonly fixedVersion: string;
  readonly path: string;
  /** Index of the layer, 0 is the lowest. */
  readonly layer: number;
  /** The instruction that made the layer. */
  readonly createdBy: string;
  readonly origin: string;
  readonly exploited: boolean;
  readonly advice: string;
}

/**
 * What signature and layers say of whether an image is what was built. `unchecked`: no signature policy is set. `unverifiable`: one is,
 * and it could not be looked whether the image satisfies it.
 */
export type SignatureState = "verified" | "invalid" | "unsigned" | "unchecked" | "unverifiable";

/** What is known of an image. Everything but `state` and `digest` counts only where it is `known`. */
export interface ImageFacts {
  /** `pending`: it is being scanned. `unknown`: nothing is known, and nobody looks (`problem` says why). */
  readonly state: "known" | "pending" | "unknown";
  readonly problem: string;
  /** What the reference names, an index of several platforms or a manifest; empty where nobody could tell. */
  readonly digest: string;
  /** The registry was asked just now: the tag names this digest, and may be pinned to it. */
  readonly resolved: boolean;
  /** Digest of the manifest that was scanned. */
  readonly manifest: string;
  /** Whether everything of it could be read and judged. */
  readonly complete: boolean;
  readonly scannedAt: string;
  /** Since it was built; -1 when unknown. */
  readonly ageDays: number;
  readonly counts: Readonly<Record<FactCount, number>>;
  /** The most urgent first, and at most 200. */
  readonly findings: readonly FactFinding[];
  /** Ids of all its flaws, for the emergency brake, one per line. */
  readonly flaws: string;
  /** Package URLs of all its packages, one per line. */
  readonly purls: string;
  /** It holds more names and packages than are told: what is not among them may be there all the same. */
  readonly cut: boolean;
  readonly signature: SignatureState;
  /** Programs of its packages differ from what the packager signed. */
  readonly tampered: boolean;
  readonly base: {
    readonly state: "golden" | "at-risk" | "deprecated" | "revoked" | "unapproved" | "none" | "unknown";
    readonly reference: string;
    readonly public: boolean;
    readonly pinned: boolean;
  };
  /** Itself a published version of a golden image. */
  readonly golden: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

export const FACT_COUNTS = [
  ...(["critical", "high", "medium", "low", "other", "exploited", "fixable"] as const),
  ...(["fixableCritical", "fixableHigh", "secrets", "malware", "misconfigurations"] as const),
] as const;
export type FactCount = (typeof FACT_COUNTS)[number];

/** What is known of the namespace that an object lies in. */
export interface NamespaceFacts {
  /** False until the cluster's agent told of it: policies by label or grade then hold, as if it were within. */
  readonly known: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly grade: string;
  /** Labels by which services that the internet reaches select pods. An empty selector selects none. */
  readonly exposedSelectors: readonly Readonly<Record<string, string>>[];
}

/** An answer to what a review asks: of its namespace and its images, by their references as they stand in the object. */
export interface FactsAnswer {
  readonly namespace: NamespaceFacts;
  readonly images: Readonly<Record<string, ImageFacts>>;
}

export const UNKNOWN_NAMESPACE: NamespaceFacts = { known: false, labels: {}, grade: "", exposedSelectors: [] };

const NO_COUNTS = Object.fromEntries(FACT_COUNTS.map((name) => [name, 0])) as Record<FactCount, number>;

/** Facts of an image of which nothing is known. */
export function unknownImage(problem: string, state: "pending" | "unknown" = "unknown"): ImageFacts {
  return {
    ...{
      state,
      problem,
      digest: "",
      resolved: false,
      manifest: "",
      complete: false,
      scannedAt: "",
      ageDays: -1,
      counts: NO_COUNTS,
      findings: [],
    },
    ...{ flaws: "", purls: "", cut: false, signature: "unchecked", tampered: false, golden: false, labels: {} },
    base: { state: "unknown", reference: "", public: false, pinned: false },
  };
}
