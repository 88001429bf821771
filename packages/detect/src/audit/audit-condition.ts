import type { AuditEvent } from "@bulwark/model";
import { type CheckFault, compileComparison, type Test } from "../compile/compile-check.ts";
import { checksOf } from "../compile/plan.ts";
import type { Check, Resolved } from "../language/condition.ts";
import { findAuditField } from "./audit-fields.ts";

/** The values that a field must have for a condition to hold; null where it may have any. */
export type Bound = ReadonlySet<string> | null;

export interface AuditCondition {
  readonly test: Test<AuditEvent>;
  readonly verbs: Bound;
  readonly resources: Bound;
}

export interface AuditFaults {
  readonly faults: readonly (CheckFault & { readonly check: Check })[];
}

interface Closed {
  readonly test: Test<AuditEvent>;
  readonly cost: number;
}

/** Compiles a condition over audit events; cheap tests come first. */
export function compileAuditCondition(condition: Resolved): AuditCondition | AuditFaults {
  const compiled = new Map(
    checksOf(condition).map((check) => [check, compileComparison(check, findAuditField)] as const),
  );
  const faults = [...compiled].flatMap(([check, found]) => ("fault" in found ? [{ ...found, check }] : []));
  if (faults.length > 0) return { faults };
  const known = new Map<Resolved, Closed>();
  const close = (node: Resolved): Closed => {
    const before = known.get(node);
    if (before !== undefined) return before;
    const closed = closeNode(node, close, compiled as ReadonlyMap<Check, Closed>);
    known.set(node, closed);
    return closed;
  };
  return {
    test: close(condition).test,
    verbs: boundOf(condition, "ka.verb"),
    resources: boundOf(condition, "ka.target.resource"),
  };
}

function closeNode(node: Resolved, close: (node: Resolved) => Closed, checks: ReadonlyMap<Check, Closed>): Closed {
  if (node.kind === "constant") return { test: () => node.value, cost: 0 };
  if (node.kind === "check") {
    const found = checks.get(node);
    if (found === undefined) throw new Error("a check of the condition was not compiled");
    return found;
  }
  if (node.kind === "not") {
    const { test, cost } = close(node.item);
    return { test: (event) => !test(event), cost };
  }
  const items = node.items.map(close).toSorted((a, b) => a.cost - b.cost);
  const tests = items.map(({ test }) => test);
  const cost = items.reduce((sum, item) => sum + item.cost, 0);
  if (node.kind === "and") return { test: (event) => tests.every((test) => test(event)), cost };
  return { test: (event) => tests.some((test) => test(event)), cost };
}

/** Rules are found by the verb and the resource that they ask for. */
function boundOf(node: Resolved, field: string): Bound {
  if (node.kind === "check") {
    const { left, operator, values, right } = node;
    const isField = left.kind === "field" && left.name === field && right === null;
    return isField && (operator === "=" || operator === "in") ? new Set(values.map(({ text }) => text)) : null;
  }
  if (node.kind === "and") {
    const bounds = node.items.map((item) => boundOf(item, field)).filter((bound) => bound !== null);
    return bounds.toSorted((a, b) => a.size - b.size)[0] ?? null;
  }
  if (node.kind === "or") {
    const bounds = node.items.map((item) => boundOf(item, field));
    return bounds.includes(null) ? null : new Set(bounds.flatMap((bound) => [...(bound ?? [])]));
  }
  return null;
}
