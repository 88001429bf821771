import type { ContainerType } from "./pod.ts";

/** `audit` warns and counts; `enforce` denies. */
export const MODES = ["off", "audit", "enforce"] as const;
export type Mode = (typeof MODES)[number];

/** What happens where a rule asks of an image that nobody has scanned: it passes, it is refused, or it passes with a warning. */
export const UNKNOWN_CHOICES = ["allow", "audit", "deny"] as const;
type UnknownChoice = (typeof UNKNOWN_CHOICES)[number];

export const SUBJECTS = ["object", "pod", "container", "image"] as const;
type Subject = (typeof SUBJECTS)[number];

/** One rule: the object violates it when the CEL expression `deny` is true. */
export interface AdmissionRule {
  readonly id: string;
  /** Asked once for the object, once for its pod, for each container, or for each image, image volumes included. */
  readonly on: Subject;
  /** Kinds of containers that it is asked for. */
  readonly containers: readonly ContainerType[];
  readonly deny: string;
  /** Text with CEL in braces. */
  readonly message: string;
  /** One sentence without braces: what the rule asks for. */
  readonly title: string;
}

/** To what a policy speaks. Empty lists and maps: to all. */
export interface Scope {
  readonly kinds: readonly string[];
  readonly operations: readonly string[];
  /** Globs over the namespace's name. */
  readonly namespaces: readonly string[];
  readonly exceptNamespaces: readonly string[];
  /** Label → glob over its value, on the pod, or on the object where it has none. */
  readonly labels: Readonly<Record<string, string>>;
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** Business grades of the namespace, or of the cluster where the namespace has none. */
  readonly grades: readonly string[];
  /** Globs over the cluster's name. */
  readonly clusters: readonly string[];
  /** Only pods that the internet reaches. */
  readonly exposed: boolean;
}

export type Params = Readonly<Record<string, unknown>>;

/** Other parameters, or another mode, where more depends on it. */
export interface Strictness {
  readonly grades: readonly string[];
  readonly exposed: boolean;
  readonly params: Params;
  /** A mode that is stricter than the policy's; empty: the policy's. */
  readonly mode: Mode | "";
}

/** A policy as its file says it. */
export interface AdmissionPolicy {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly category: string;
  /** Mode where nobody chose one. */
  readonly mode: Mode;
  readonly onError: "deny" | "allow";
  readonly unknown: UnknownChoice;
  readonly scope: Scope;
  readonly params: Params;
  readonly stricter: readonly Strictness[];
  readonly rules: readonly AdmissionRule[];
}
