import type { RuntimeEventType } from "@bulwark/model";
import { checksOf, type Plan, type Planner } from "../compile/plan.ts";
import { meaningOf } from "../event-types.ts";
import type { Check, Resolved } from "../language/condition.ts";
import type { Rule, RuleSet } from "../rule-set.ts";
import { distinctPatterns, MAX_PATTERNS, pathBounds } from "./path-bounds.ts";
import type { EventSelection, PathPattern } from "./policy.ts";

/** Events whose paths a node can compare before it tells of them. */
export const WITH_PATHS: ReadonlySet<RuntimeEventType> = new Set([
  "open",
  "creat",
  "rename",
  "unlink",
  "link",
  "symlink",
  "mkdir",
  "rmdir",
  "chmod",
  "chown",
  "truncate",
  "mknod",
  "setxattr",
  "open_by_handle_at",
  "write",
]);
/** A connection that is under way is one, and is told like one that is made. */
const UNDER_WAY = ["EINPROGRESS", "-115"];

/** Calls whose refusal tells of an attempt. */
const TELLS_BY_FAILING: ReadonlySet<RuntimeEventType> = new Set([
  "mount",
  "umount",
  "pivot_root",
  "unshare",
  "setns",
  "ptrace",
  "process_vm_writev",
  "init_module",
  "finit_module",
  "delete_module",
  "bpf",
  "kexec_load",
  "perf_event_open",
  "keyctl",
  "userfaultfd",
  "open_by_handle_at",
  "reboot",
  "chroot",
  "connect",
  "add_key",
  "move_mount",
  "fsopen",
  "mknod",
]);

interface Need {
  readonly type: RuntimeEventType;
  readonly inContainer: boolean;
  /** Undefined is every path. */
  readonly paths: readonly PathPattern[] | undefined;
  readonly reads: boolean;
  readonly calls: readonly string[];
  readonly failures: boolean;
}

/**
 * The events that rules need, for a sensor's policy: nothing else is worth capturing for them.
 *
 * @param rules of the set; those that run anywhere
 * @returns per event type and kind of process one selection; for reads of watched paths one of their own
 */
export function neededSelections(set: RuleSet, rules: readonly Rule[] = set.rules): readonly EventSelection[] {
  const needs = rules.flatMap((rule) => rule.plans.flatMap((plan) => needsOf(plan, set.planner)));
  const groups = Map.groupBy(needs, ({ type, inContainer, reads, failures }) =>
    [type, inContainer, reads, failures].join(" "),
  );
  const selections = [...groups.values()].map(selectionOf);
  return merged(selections).toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)));
}

function needsOf(plan: Plan, planner: Planner): readonly Need[] {
  const { type, inContainer, condition } = plan;
  const asFailed = TELLS_BY_FAILING.has(type) ? planner.simplify(condition, plan, assumeFailed) : undefined;
  const failures = asFailed === undefined ? wantsFailures(condition) : asFailed.kind !== "constant" || asFailed.value;
  const base = { type, inContainer, calls: type === "syscall" ? callsOf(condition) : [], failures };
  if (type !== "open") return [{ ...base, paths: bounded(type, condition), reads: false }];
  // Reads are many: what a rule says of reads alone is bounded on its own.
  const asRead = planner.simplify(condition, plan, (check) => assumeOpen(check, false));
  const asWrite = planner.simplify(condition, plan, (check) => assumeOpen(check, true));
  return [
    { left: asRead, reads: true },
    { left: asWrite, reads: false },
  ]
    .filter(({ left }) => left.kind !== "constant" || left.value)
    .map(({ left, reads }) => ({ ...base, paths: bounded(type, left), reads }));
}

/** What `evt.is_open_write` and the like say of an open that only reads, or that may also write. */
export function assumeOpen({ left, operator, values, right }: Check, write: boolean): boolean | undefined {
  if (left.kind !== "field" || right !== null || operator !== "=") return undefined;
  const wanted = values[0]?.text.toLowerCase() === "true";
  if (left.name === "evt.is_open_write") return write === wanted;
  if (write) return undefined;
  if (left.name === "evt.is_open_read") return wanted;
  if (left.name === "evt.is_open_create" || left.name === "evt.is_open_exec") return !wanted;
  return undefined;
}

/** What is said of a call's result when it failed. */
function assumeFailed({ left, operator, values, right }: Check): boolean | undefined {
  if (left.kind !== "field" || right !== null) return undefined;
  const value = values[0]?.text ?? "";
  if (operator === "=" && UNDER_WAY.includes(value)) return false;
  if (left.name === "evt.failed") return (operator === "=") === (value === "true");
  if (left.name === "evt.res" && value === "SUCCESS") return operator === "!=";
  if (left.name === "evt.rawres" && Number(value) === 0) return operator.startsWith("<") || operator === "!=";
  return undefined;
}

function bounded(type: RuntimeEventType, condition: Resolved): readonly PathPattern[] | undefined {
  return WITH_PATHS.has(type) ? pathBounds(condition) : undefined;
}

function callsOf(condition: Resolved): readonly string[] {
  return checksOf(condition).flatMap(({ left, values }) => {
    if (left.kind !== "field" || (left.name !== "evt.type" && left.name !== "syscall.type")) return [];
    return values.flatMap(({ text }) => {
      const meaning = meaningOf(text);
      return meaning !== undefined && "call" in meaning && meaning.call !== "" ? [meaning.call] : [];
    });
  });
}

/** Whether a call that failed could meet it: it asks for an error by name, by number or by flag. */
function wantsFailures(condition: Resolved): boolean {
  return checksOf(condition).some(({ left, operator, values }) => {
    if (left.kind !== "field") return false;
    const texts = values.map(({ text }) => text).filter((text) => !UNDER_WAY.includes(text));
    if (left.name === "evt.failed") return operator === "=" ? texts[0] === "true" : texts[0] === "false";
    if (left.name === "evt.rawres" || left.name === "fd.num") {
      return operator.startsWith("<") || texts.some((text) => Number(text) < 0);
    }
    if (left.name === "evt.res" || left.name === "evt.arg.res") {
      return operator === "!=" ? texts.includes("SUCCESS") : texts.some((text) => text.startsWith("E"));
    }
    return false;
  });
}

function selectionOf(needs: readonly Need[]): EventSelection {
  const [first] = needs;
  if (first === undefined) throw new Error("a group of needs is empty");
  const everywhere = needs.some(({ paths }) => paths === undefined);
  const paths = everywhere ? [] : distinctPatterns(needs.flatMap((need) => need.paths ?? []));
  return {
    type: first.type,
    fromContainers: first.inContainer,
    fromHost: !first.inContainer,
    paths: paths.length > MAX_PATTERNS * 4 ? [] : paths,
    reads: first.reads,
    calls: [...new Set(needs.flatMap((need) => need.calls))].toSorted(),
    failures: first.failures,
  };
}

/** Selections that differ only in who they are of are one. */
function merged(selections: readonly EventSelection[]): readonly EventSelection[] {
  const byRest = new Map<string, EventSelection>();
  for (const selection of selections) {
    const key = JSON.stringify({ ...selection, fromContainers: false, fromHost: false });
    const other = byRest.get(key);
    byRest.set(key, {
      ...selection,
      fromContainers: selection.fromContainers || other?.fromContainers === true,
      fromHost: selection.fromHost || other?.fromHost === true,
    });
  }
  return [...byRest.values()];
}

function keyOf({ type, fromHost, reads, failures }: EventSelection): string {
  return [type, fromHost, reads, failures].join(" ");
}
