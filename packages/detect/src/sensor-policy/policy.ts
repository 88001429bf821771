import type { RuntimeEventType } from "@bulwark/model";

// The parts of a sensor's policy that rules decide, field by field as the contract has them
// (proto/bulwark/sensor/v1/sensor.proto), so that the gateway only has to write them down.

export type PathPatternKind = "exact" | "prefix" | "suffix" | "contains";

export interface PathPattern {
  readonly kind: PathPatternKind;
  readonly value: string;
}

/** An event is captured when one selection takes it. */
export interface EventSelection {
  readonly type: RuntimeEventType;
  readonly fromContainers: boolean;
  readonly fromHost: boolean;
  /** Of file events; none is every path. */
  readonly paths: readonly PathPattern[];
  /** Of `open`: reads too; otherwise only opens that can change the file. */
  readonly reads: boolean;
  /** Of `syscall`: names of calls. */
  readonly calls: readonly string[];
  /** Calls that failed too. */
  readonly failures: boolean;
}

/** What a node refuses. Any of the parts of `exec` ends a program before its first instruction. */
export type BlockAction =
  | {
      readonly kind: "exec";
      readonly names: readonly string[];
      readonly paths: readonly PathPattern[];
      readonly drifted: boolean;
      readonly inMemory: boolean;
      readonly socketStdio: boolean;
    }
  | { readonly kind: "file"; readonly paths: readonly PathPattern[]; readonly reads: boolean; readonly writes: boolean }
  | {
      readonly kind: "connect";
      readonly networks: readonly string[];
      readonly ports: readonly number[];
      readonly except: readonly string[];
    }
  | { readonly kind: "syscall"; readonly calls: readonly string[] };

/** What it takes to refuse what a rule tells of, and what of it stays an alert; or why nothing can be refused. */
export type Blockability =
  | { readonly blocks: readonly BlockAction[]; readonly besides: readonly string[] }
  | { readonly why: string };
