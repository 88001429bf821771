import type { RuntimeEvent } from "@bulwark/model";
import { createCheckCompiler, createPlanner } from "./compile/plan.ts";
import { DetectError } from "./errors.ts";
import type { Resolved } from "./language/condition.ts";
import type { Definitions } from "./language/definitions.ts";
import { createResolver, isResolveFault } from "./language/resolve.ts";

/** Whether an event meets a condition. */
export type Filter = (event: RuntimeEvent) => boolean;

const NOTHING: Pick<Definitions, "lists" | "macros"> = { lists: new Map(), macros: new Map() };

/**
 * Compiles a condition that stands on its own: of an allow-list entry, a saved search, an automatic response.
 *
 * @throws DetectError `FILTER_INVALID` with the column and what is wrong
 * @example compileFilter("proc.name = nginx and fd.name startswith /etc/nginx/")(event);
 */
export function compileFilter(condition: string): Filter {
  const resolved = resolveFilter(condition);
  const planner = createPlanner(createCheckCompiler());
  const [fault] = planner.plan(resolved).faults;
  if (fault !== undefined) throw invalidFilter(condition, fault.check.place.column, fault.message);
  return planner.closeAnywhere(resolved);
}

/**
 * Reads a condition that stands on its own, before its fields are looked up.
 *
 * @throws DetectError `FILTER_INVALID`
 */
export function resolveFilter(condition: string): Resolved {
  const locate = (offset: number) => ({ file: "", line: 1, column: offset + 1 });
  const resolved = createResolver(NOTHING).resolve({ text: condition, locate }, []);
  if (isResolveFault(resolved)) throw invalidFilter(condition, resolved.place.column, resolved.message);
  return resolved;
}

/** What is wrong with a condition, and where. */
export function invalidFilter(condition: string, column: number, why: string): DetectError {
  const shown = condition.length > 80 ? `${condition.slice(0, 80)}…` : condition;
  return new DetectError(
    "FILTER_INVALID",
    `the condition "${shown}", column ${column}: ${why}`,
    "correct it; docs/rule-fields.md lists the fields",
  );
}
