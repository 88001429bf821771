import type { Mode } from "./policy.ts";

/** Everything that a replica needs to judge without asking: one document, replaced as a whole. */
export interface AdmissionBundle {
  /** Counts up with each change. */
  readonly revision: number;
  readonly cluster: { readonly id: string; readonly name: string; readonly grade: string };
  /** Policy files (YAML), and the mode that was chosen for the whole estate. */
  readonly policies: readonly { readonly text: string; readonly file: string; readonly mode: Mode }[];
  /** Modes for single namespaces. */
  readonly modes: readonly { readonly policy: string; readonly namespace: string; readonly mode: Mode }[];
  readonly exceptions: readonly Exception[];
  readonly brakes: readonly Brake[];
  readonly grants: readonly Grant[];
  readonly mutation: MutationSettings;
}

/** What somebody answers for, until a time, in one namespace and nowhere else. */
export interface Exception {
  readonly id: string;
  readonly policy: string;
  /** Empty: all rules of the policy. */
  readonly rule: string;
  /** The name itself, never a pattern. */
  readonly namespace: string;
  /** Glob over the object's name, or its generateName. */
  readonly object: string;
  /** Glob over the image's reference; `*` also fits rules that ask of no image. */
  readonly image: string;
  /** RFC 3339. */
  readonly until: string;
  readonly reason: string;
  readonly approvedBy: string;
}

/** What the emergency brake denies, everywhere, at once, whatever modes and exceptions say. */
export interface Brake {
  readonly id: string;
  readonly kind: "flaw" | "package" | "digest";
  /** A CVE's id, a glob over package URLs, or an image's digest. */
  readonly pattern: string;
  readonly reason: string;
  /** Whether an image that nobody has scanned yet is denied as well. */
  readonly denyUnknown: boolean;
}

/** Leave to pass everything for a while: break-glass. */
export interface Grant {
  readonly id: string;
  /** What the annotation `bulwark.dev/break-glass` must say; empty where the user alone is asked. */
  readonly code: string;
  /** Glob over the user's name; `*` for anybody who has the code. */
  readonly user: string;
  /** Glob over the namespace's name. */
  readonly namespace: string;
  readonly reason: string;
  /** RFC 3339. */
  readonly until: string;
  /** Whether it passes the emergency brake as well. */
  readonly passesBrake: boolean;
}

export const BREAK_GLASS_ANNOTATION = "bulwark.dev/break-glass";

/** What is changed on the way in. */
export interface MutationSettings {
  /** Tags get the digest that they name. */
  readonly pinDigests: boolean;
  /** Pods without a seccomp profile get RuntimeDefault. */
  readonly defaultSeccomp: boolean;
  /** Pods that do not ask for a token of their service account get none. */
  readonly withholdTokens: boolean;
}

export const NO_MUTATION: MutationSettings = { pinDigests: false, defaultSeccomp: false, withholdTokens: false };

/** The bundle of a replica that was told nothing yet. */
export const EMPTY_BUNDLE: AdmissionBundle = {
  ...{ revision: 0, policies: [], modes: [], exceptions: [], brakes: [], grants: [], mutation: NO_MUTATION },
  cluster: { id: "", name: "", grade: "" },
};
