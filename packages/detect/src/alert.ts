import type { RuntimeEvent, Severity } from "@bulwark/model";
import type { Tactic, Technique } from "./attack.ts";
import type { Priority } from "./priority.ts";

/** A rule matched. */
export interface Alert<Event = RuntimeEvent> {
  readonly rule: string;
  readonly description: string;
  readonly priority: Priority;
  readonly severity: Severity;
  /** The rule's output with the event's values; control characters are written as escapes. */
  readonly output: string;
  /** The values that the output names, by field. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  readonly tags: readonly string[];
  readonly techniques: readonly Technique[];
  readonly tactics: readonly Tactic[];
  readonly advice: string;
  readonly timeUs: number;
  /** How many identical events the sensor had folded into this one. */
  readonly count: number;
  /** Rule, container, program and object: alerts of one key are repeats of each other. */
  readonly key: string;
  readonly event: Event;
}

/** What makes two alerts the same thing happening again. */
export function alertKey(rule: string, event: RuntimeEvent): string {
  const object = event.path || event.newPath || event.dnsName || event.remoteAddress;
  return [rule, event.container?.id ?? "host", event.process?.exe ?? "", object].join("\u0000");
}
