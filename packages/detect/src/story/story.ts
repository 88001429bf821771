import type { Severity } from "@bulwark/model";
import type { Tactic, Technique } from "../attack.ts";

export type StoryNodeKind = "process" | "file" | "connection" | "domain" | "container" | "host";

/** Something that took part. All texts are made visible: no control characters are in them. */
export interface StoryNode {
  readonly id: string;
  readonly kind: StoryNodeKind;
  readonly label: string;
  /** A command line, both ends of a connection, an image. */
  readonly detail: string;
  readonly firstUs: number;
  /** Rules that told of it; empty for what only stood by. */
  readonly rules: readonly string[];
  readonly severity: Severity | null;
}

/** Who did what to whom, read from left to right: "sh started curl", "curl connected to 203.0.113.9:443". */
export interface StoryEdge {
  readonly from: string;
  readonly to: string;
  readonly what: string;
  readonly firstUs: number;
  readonly count: number;
}

/** One alert, in the order of time. */
export interface StoryStep {
  readonly timeUs: number;
  readonly rule: string;
  readonly severity: Severity;
  /** Null when the rule names none. */
  readonly tactic: Tactic | null;
  readonly techniques: readonly Technique[];
  readonly text: string;
  readonly advice: string;
  /** The node that it is about. */
  readonly node: string;
}

/** What happened in a container and around it, as one graph. */
export interface Story {
  readonly containerId: string;
  readonly title: string;
  readonly image: string;
  readonly fromUs: number;
  readonly untilUs: number;
  readonly nodes: readonly StoryNode[];
  readonly edges: readonly StoryEdge[];
  readonly steps: readonly StoryStep[];
  /** Tactics of the steps in the order of an attack. */
  readonly tactics: readonly Tactic[];
  /** Nodes that the bound left out. */
  readonly leftOut: number;
}
