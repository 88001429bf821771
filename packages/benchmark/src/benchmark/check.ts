import type { Fields, Severity } from "@bulwark/model";

/** What a check looks at. */
export const BENCHMARK_SUBJECTS = [
  "host",
  "docker",
  "containerd",
  "kubelet",
  "control-plane",
  "etcd",
  "container",
  "workload",
  "rbac",
  "istio",
] as const;
export type BenchmarkSubject = (typeof BENCHMARK_SUBJECTS)[number];

/** Where the facts come from: a node's sensor, a node's containers, or a cluster's objects. */
export type FactKind = "node" | "container" | "cluster";

/** Which facts the subject is judged by. */
export function factKindOf(subject: BenchmarkSubject): FactKind {
  if (subject === "container") return "container";
  return subject === "workload" || subject === "rbac" || subject === "istio" ? "cluster" : "node";
}

/** Documents whose sections a check covers: numbers alone. */
export const STANDARDS = ["cis-docker", "cis-kubernetes", "cis-linux", "nsa", "mlps"] as const;
export type Standard = (typeof STANDARDS)[number];

/** A value that installations may set differently. */
export type ParameterValue = string | number | boolean | readonly string[];

/** The change that makes a check pass, of those a machine may make. */
export type FixSpec =
  | { readonly kind: "sysctl"; readonly name: string; readonly value: string }
  | { readonly kind: "mode"; readonly path: string; readonly mask: number; readonly ownByRoot: boolean }
  | {
      readonly kind: "setting";
      readonly path: string;
      readonly format: "sshd" | "json" | "yaml";
      readonly key: string;
      readonly value: string;
      /** What has to be started again before the change counts. */
      readonly restart: string;
    };

/** One check of a benchmark, as read from content/benchmarks. */
export interface BenchmarkCheck {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly description: string;
  readonly subject: BenchmarkSubject;
  /** 1: sensible everywhere · 2: costs something, for places that need more. */
  readonly level: 1 | 2;
  /** Only where this program runs; empty: always. */
  readonly program: string;
  /** CEL expression, false where the check does not apply; empty: always. */
  readonly applies: string;
  /** The list whose entries are judged one by one as `it`; empty: the subject is judged as a whole. */
  readonly each: string;
  /** CEL expression, true at fault; empty: only people can judge. */
  readonly fails: string;
  /** One line with CEL expressions in braces. */
  readonly message: string;
  readonly advice: string;
  /** What may stop working when the advice is followed; empty: nothing that is known. */
  readonly impact: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly references: Readonly<Partial<Record<Standard, readonly string[]>>>;
  readonly fix: FixSpec | undefined;
  readonly samples: { readonly bad: readonly Fields[]; readonly good: readonly Fields[] };
  readonly file: string;
  readonly line: number;
}
