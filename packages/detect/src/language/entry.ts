import type { YAMLMap } from "yaml";
import type { ListDefinition, MacroDefinition, RuleDefinition, RuleProblem } from "./definitions.ts";
import type { Source } from "./source-text.ts";

/** One entry of a rule file with what its keys hold. */
export interface Entry {
  readonly source: Source;
  readonly map: YAMLMap;
  readonly name: string;
  readonly order: number;
  readonly keys: ReadonlyMap<string, unknown>;
  readonly problem: (level: RuleProblem["level"], message: string, node?: unknown) => void;
}

/** What was read so far; later entries add to it and replace in it. */
export interface Gathered {
  readonly lists: Map<string, ListDefinition>;
  readonly macros: Map<string, MacroDefinition>;
  readonly rules: Map<string, RuleDefinition>;
  readonly problems: RuleProblem[];
}
