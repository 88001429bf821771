import type { AuditEvent, RuntimeContainer, RuntimeEvent, RuntimeProcess, Severity } from "@bulwark/model";

/**
 * Shapes of what the API passes on as sensors told it. Sensors may be older or newer than the console: every part may be
 * missing.
 */

export type Lineage = readonly Partial<Omit<RuntimeProcess, "parent">>[];

export interface AlertFacts {
  /** What an API server was asked, where the alert is about that. */
  readonly audit?: Partial<AuditEvent>;
  readonly event?: Partial<RuntimeEvent>;
  readonly container?: Partial<RuntimeContainer> | null;
  readonly lineage?: Lineage;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly description?: string;
  readonly advice?: string;
  readonly techniques?: readonly { readonly id: string; readonly name: string }[];
  readonly tactics?: readonly string[];
  /** What its rule itself says, where an exposed container made the alert worse. */
  readonly raisedFrom?: string;
}

export interface EventDetail extends Partial<Omit<RuntimeEvent, "process" | "container">> {
  readonly container?: Partial<RuntimeContainer> | null;
  readonly lineage?: Lineage;
}

export type ContainerFacts = Partial<RuntimeContainer> & { readonly arguments?: readonly string[] };

export interface NodeFacts {
  readonly kernelRelease?: string;
  readonly architecture?: string;
  readonly osName?: string;
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly kubernetesNode?: string;
  readonly addresses?: readonly string[];
}

export interface Capability {
  readonly id?: string;
  readonly state?: string;
  readonly means?: string;
  readonly detail?: string;
}

type Counts = Readonly<Record<string, number>>;

export interface Health {
  readonly residentBytes?: number;
  readonly cpuShare?: number;
  readonly degradation?: number;
  readonly degradationReason?: string;
  readonly spoolBytes?: number;
  readonly spoolLimitBytes?: number;
  readonly seen?: Counts;
  readonly lost?: Counts;
  readonly filtered?: Counts;
  /** `rule` is empty in what was told before its policy was known. */
  readonly gaps?: readonly { readonly blockId: string; readonly rule?: string; readonly why: string }[];
  readonly tampering?: readonly string[];
}

export interface StoryNode {
  readonly id: string;
  readonly kind: "process" | "file" | "connection" | "domain" | "container" | "host";
  readonly label: string;
  readonly detail: string;
  readonly firstUs: number;
  readonly rules: readonly string[];
  readonly severity: Severity | null;
}

export interface StoryEdge {
  readonly from: string;
  readonly to: string;
  readonly what: string;
  readonly firstUs: number;
  readonly count: number;
}

export interface StoryStep {
  readonly timeUs: number;
  readonly rule: string;
  readonly severity: Severity;
  readonly tactic: string | null;
  readonly techniques: readonly { readonly id: string; readonly name: string }[];
  readonly text: string;
  readonly advice: string;
  readonly node: string;
}

/** What `GET /alerts/{id}/story` gives (packages/detect/src/story). */
export interface Story {
  readonly title: string;
  readonly image: string;
  readonly fromUs: number;
  readonly untilUs: number;
  readonly nodes: readonly StoryNode[];
  readonly edges: readonly StoryEdge[];
  readonly steps: readonly StoryStep[];
  readonly tactics: readonly string[];
  readonly leftOut: number;
}
