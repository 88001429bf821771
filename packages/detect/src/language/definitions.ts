import type { Priority } from "../priority.ts";
import type { Literal, Operator, Place } from "./condition.ts";
import type { SourceText } from "./source-text.ts";

/** Something about a rule file that its author should know. An error costs the rule it concerns, a warning nothing. */
export interface RuleProblem {
  readonly level: "error" | "warning";
  readonly message: string;
  readonly place: Place;
  /** The rule concerned; empty when it concerns the file, a list or a macro. */
  readonly rule: string;
}

interface ListItem {
  readonly literal: Literal;
  /** Where in the order of all definitions it stands: it can only name lists before it. */
  readonly order: number;
}

export interface ListDefinition {
  readonly name: string;
  readonly order: number;
  readonly items: readonly ListItem[];
  readonly place: Place;
}

export interface MacroDefinition {
  readonly name: string;
  readonly condition: SourceText;
  readonly place: Place;
}

/** `fields`, `comps` and `values` of an exception; `single` is the short form, in which a value is no tuple. */
export interface ExceptionDefinition {
  readonly name: string;
  readonly fields: readonly string[];
  readonly comparisons: readonly Operator[];
  readonly single: boolean;
  /** Per tuple, per field, the values. */
  readonly values: readonly (readonly (readonly Literal[])[])[];
  readonly place: Place;
}

/** A rule as the files leave it once everything is appended and replaced. */
export interface RuleDefinition {
  readonly name: string;
  readonly description: string;
  readonly condition: SourceText;
  readonly output: SourceText;
  readonly priority: Priority;
  readonly tags: readonly string[];
  readonly enabled: boolean;
  readonly source: string;
  readonly exceptions: readonly ExceptionDefinition[];
  readonly warnEventTypes: boolean;
  readonly skipIfUnknownFilter: boolean;
  /** What to do about an alert; ours, empty in files of others. */
  readonly advice: string;
  /** Which of our detectors over many events decides; empty for rules that judge single events. */
  readonly detector: string;
  readonly settings: Readonly<Record<string, number | string | readonly string[]>>;
  readonly place: Place;
}

export interface Definitions {
  readonly lists: ReadonlyMap<string, ListDefinition>;
  readonly macros: ReadonlyMap<string, MacroDefinition>;
  readonly rules: ReadonlyMap<string, RuleDefinition>;
  readonly problems: readonly RuleProblem[];
}
