import { RUNTIME_EVENT_TYPES, type RuntimeEventType } from "@bulwark/model";
import type { Check, Resolved } from "../language/condition.ts";
import { type CheckFault, type CompiledCheck, compileCheck, isCheckFault, type Test } from "./compile-check.ts";

/** What is known of an event before a rule looks at it. */
interface Situation {
  readonly type: RuntimeEventType;
  readonly inContainer: boolean;
}

/** What is left of a rule for one situation, once everything that is decided by it is taken out. */
export interface Plan extends Situation {
  readonly condition: Resolved;
}

export interface Planned {
  /** None: the rule can never match. */
  readonly plans: readonly Plan[];
  /** Mistakes anywhere, and what is unsupported where it could matter. */
  readonly faults: readonly (CheckFault & { readonly check: Check })[];
  /** Names of events that never come, and why. */
  readonly notes: readonly string[];
}

const NEVER: CompiledCheck = {
  test: () => false,
  cost: 0,
  types: null,
  always: null,
  constant: false,
  inContainer: null,
  decidesContainer: false,
  notes: [],
};
const TRUE: Resolved = { kind: "constant", value: true };
const FALSE: Resolved = { kind: "constant", value: false };
const SITUATIONS: readonly Situation[] = RUNTIME_EVENT_TYPES.flatMap((type) => [
  { type, inContainer: true },
  { type, inContainer: false },
]);

export type CheckCompiler = (check: Check) => CompiledCheck | CheckFault;

/** Compiles each check once, however many rules share it through a macro. */
export function createCheckCompiler(): CheckCompiler {
  const known = new Map<Check, CompiledCheck | CheckFault>();
  return (check) => {
    const before = known.get(check);
    if (before !== undefined) return before;
    const compiled = compileCheck(check);
    known.set(check, compiled);
    return compiled;
  };
}

export interface Planner {
  readonly plan: (condition: Resolved) => Planned;
  /** Takes out what a situation decides; and whatever else `assume` decides of a check. */
  readonly simplify: (
    condition: Resolved,
    situation: Situation,
    assume?: (check: Check) => boolean | undefined,
  ) => Resolved;
  /** For events of the situation that the condition was simplified for. */
  readonly close: (condition: Resolved, type: RuntimeEventType) => Test;
  /** For any event. */
  readonly closeAnywhere: (condition: Resolved) => Test;
  readonly costOf: (condition: Resolved) => number;
}

/** Makes plans of conditions; parts that conditions share are worked out once per situation. */
export function createPlanner(compile: CheckCompiler): Planner {
  const simplified = new Map<string, Map<Resolved, Resolved>>();
  const closed = new Map<RuntimeEventType, Map<Resolved, Test>>();
  const closedAnywhere = new Map<Resolved, Test>();
  const costs = new Map<Resolved, number>();

  function simplify(
    condition: Resolved,
    situation: Situation,
    memo: Map<Resolved, Resolved>,
    assume?: (check: Check) => boolean | undefined,
  ): Resolved {
    const known = memo.get(condition);
    if (known !== undefined) return known;
    const result = simplifyOnce(
      condition,
      (item) => simplify(item, situation, memo, assume),
      (check) => {
        const assumed = assume?.(check);
        return assumed === undefined ? decide(compile(check), situation) : assumed;
      },
    );
    memo.set(condition, result);
    return result;
  }

  function memoOf({ type, inContainer }: Situation): Map<Resolved, Resolved> {
    const key = `${type} ${inContainer}`;
    const memo = simplified.get(key) ?? new Map<Resolved, Resolved>();
    simplified.set(key, memo);
    return memo;
  }

  function costOf(condition: Resolved): number {
    const known = costs.get(condition);
    if (known !== undefined) return known;
    const cost = costOnce(condition, costOf, compile);
    costs.set(condition, cost);
    return cost;
  }

  function close(condition: Resolved, type: RuntimeEventType): Test {
    const ofType = closed.get(type) ?? new Map<Resolved, Test>();
    closed.set(type, ofType);
    const known = ofType.get(condition);
    if (known !== undefined) return known;
    const test = closeOnce(
      condition,
      (item) => close(item, type),
      costOf,
      (check) => forType(compile(check), type),
    );
    ofType.set(condition, test);
    return test;
  }

  function closeAnywhere(condition: Resolved): Test {
    const known = closedAnywhere.get(condition);
    if (known !== undefined) return known;
    const test = closeOnce(condition, closeAnywhere, costOf, (check) => guarded(compile(check)));
    closedAnywhere.set(condition, test);
    return test;
  }

  return {
    plan: (condition) => {
      const faults = new Map<Check, CheckFault>();
      const notes = new Set<string>();
      for (const check of checksOf(condition)) {
        const compiled = compile(check);
        if (!isCheckFault(compiled)) for (const note of compiled.notes) notes.add(note);
        else if (compiled.fault === "invalid") faults.set(check, compiled);
      }
      const plans: Plan[] = [];
      for (const situation of faults.size > 0 ? [] : SITUATIONS) {
        const left = simplify(condition, situation, memoOf(situation));
        if (left === FALSE) continue;
        plans.push({ ...situation, condition: left });
        for (const check of checksOf(left)) {
          const compiled = compile(check);
          if (isCheckFault(compiled)) faults.set(check, compiled);
        }
      }
      return { plans, faults: [...faults].map(([check, fault]) => ({ ...fault, check })), notes: [...notes] };
    },
    simplify: (condition, situation, assume) => simplify(condition, situation, new Map(), assume),
    close,
    closeAnywhere,
    costOf,
  };
}

function forType(check: CompiledCheck | CheckFault, type: RuntimeEventType): CompiledCheck | CheckFault {
  return isCheckFault(check) || check.testFor === undefined ? check : { ...check, test: check.testFor(type) };
}

/** A field gives whatever lies there for events that do not fill it: elsewhere than in a plan the type is asked first. */
function guarded(check: CompiledCheck | CheckFault): CompiledCheck | CheckFault {
  // What is unsupported is only let through where no event can reach it.
  if (isCheckFault(check)) return check.fault === "unsupported" ? NEVER : check;
  if (check.types === null || check.always !== null) return check;
  const { test, types } = check;
  return { ...check, test: (event) => types.has(event.type) && test(event) };
}

/** Whether a situation decides a check. What is unsupported is never decided. */
function decide(check: CompiledCheck | CheckFault, { type, inContainer }: Situation): boolean | undefined {
  if (isCheckFault(check)) return undefined;
  if (check.constant) return true;
  if (check.types !== null && !check.types.has(type)) return false;
  if (check.always?.has(type)) return true;
  if (check.decidesContainer) return check.inContainer === inContainer;
  return check.inContainer === true && !inContainer ? false : undefined;
}

function simplifyOnce(
  condition: Resolved,
  recurse: (item: Resolved) => Resolved,
  decideCheck: (check: Check) => boolean | undefined,
): Resolved {
  if (condition.kind === "constant") return condition.value ? TRUE : FALSE;
  if (condition.kind === "check") {
    const decided = decideCheck(condition);
    return decided === undefined ? condition : decided ? TRUE : FALSE;
  }
  if (condition.kind === "not") {
    const item = recurse(condition.item);
    if (item.kind === "constant") return item.value ? FALSE : TRUE;
    return item === condition.item ? condition : { kind: "not", item };
  }
  const [neutral, absorbing] = condition.kind === "and" ? [TRUE, FALSE] : [FALSE, TRUE];
  const items: Resolved[] = [];
  for (const item of condition.items.map(recurse)) {
    if (item === absorbing) return absorbing;
    // `a and (b and c)` is one row of tests, of which the cheapest comes first.
    if (item.kind === condition.kind) items.push(...item.items);
    else if (item !== neutral) items.push(item);
  }
  if (items.length === 0) return neutral;
  return items.length === 1 && items[0] !== undefined ? items[0] : { kind: condition.kind, items };
}

/** Every check once. */
export function checksOf(condition: Resolved): readonly Check[] {
  const seen = new Set<Resolved>();
  const checks: Check[] = [];
  const walk = (node: Resolved) => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === "check") checks.push(node);
    else if (node.kind === "not") walk(node.item);
    else if (node.kind !== "constant") node.items.forEach(walk);
  };
  walk(condition);
  return checks;
}

function costOnce(condition: Resolved, costOf: (item: Resolved) => number, compile: CheckCompiler): number {
  if (condition.kind === "constant") return 0;
  if (condition.kind === "not") return costOf(condition.item);
  if (condition.kind === "check") {
    const compiled = compile(condition);
    return isCheckFault(compiled) ? 0 : compiled.cost;
  }
  return condition.items.reduce((sum, item) => sum + costOf(item), 0);
}

function closeOnce(
  condition: Resolved,
  close: (item: Resolved) => Test,
  costOf: (item: Resolved) => number,
  compile: CheckCompiler,
): Test {
  if (condition.kind === "constant") return condition.value ? () => true : () => false;
  if (condition.kind === "check") {
    const compiled = compile(condition);
    if (isCheckFault(compiled)) throw new Error(`a check that does not compile was planned: ${compiled.message}`);
    return compiled.test;
  }
  if (condition.kind === "not") {
    const test = close(condition.item);
    return (event) => !test(event);
  }
  const tests = condition.items.toSorted((a, b) => costOf(a) - costOf(b)).map(close);
  return condition.kind === "and" ? allOf(tests) : anyOf(tests);
}

/** Two and three in a row are the most frequent, and a loop costs more than they do. */
function allOf(tests: readonly Test[]): Test {
  const [a, b, c] = tests;
  if (a !== undefined && b !== undefined && tests.length === 2) return (event) => a(event) && b(event);
  if (a !== undefined && b !== undefined && c !== undefined && tests.length === 3) {
    return (event) => a(event) && b(event) && c(event);
  }
  return (event) => {
    for (const test of tests) if (!test(event)) return false;
    return true;
  };
}

function anyOf(tests: readonly Test[]): Test {
  const [a, b] = tests;
  if (a !== undefined && b !== undefined && tests.length === 2) return (event) => a(event) || b(event);
  return (event) => {
    for (const test of tests) if (test(event)) return true;
    return false;
  };
}
