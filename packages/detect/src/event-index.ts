import type { RuntimeEvent, RuntimeEventType } from "@bulwark/model";
import type { Test } from "./compile/compile-check.ts";
import type { Planner } from "./compile/plan.ts";
import type { Getter } from "./fields/field.ts";
import { findField, isFieldFault } from "./fields/table.ts";
import type { Check, Resolved } from "./language/condition.ts";
import { createPathIndex, type PathIndex } from "./path-index.ts";
import type { Rule } from "./rule-set.ts";
import { pathBounds } from "./sensor-policy/path-bounds.ts";
import { WITH_PATHS } from "./sensor-policy/selections.ts";
import type { Observer } from "./stateful/stateful-detector.ts";

/** A rule ready for one situation. */
interface Candidate {
  readonly rule: Rule;
  readonly observe: Observer | undefined;
}

/** Gives every rule that an event meets. The list is only good until the next call. */
export type EventIndex = (event: RuntimeEvent) => readonly Candidate[];

/** Fields with few values per rule and many per fleet: rules that ask for one of them are found by its value. */
const KEY_FIELDS = ["proc.name", "proc.pname", "fd.rport", "fd.sport"];
/** More values than that cost more memory than they save time. */
const MAX_KEYS = 2000;
/** Alternatives that one `or` is taken apart into. */
const MAX_ALTERNATIVES = 16;

/** One alternative of a rule; a rule whose alternatives are found twice is still met once. */
interface Entry {
  readonly candidate: Candidate;
  readonly test: Test;
  readonly cost: number;
  readonly met: { event: number };
}

interface KeyedEntries {
  readonly get: Getter;
  readonly byValue: Map<string | number, Entry[]>;
}

interface Bucket {
  readonly keyed: Map<string, KeyedEntries>;
  readonly lists: KeyedEntries[];
  readonly paths: PathIndex<Entry>;
  readonly hasPaths: boolean[];
  readonly rest: Entry[];
}

interface Key {
  readonly field: string;
  readonly values: readonly string[];
  /** What is left to test once the key is met. */
  readonly rest: Resolved;
}

const TRUE: Resolved = { kind: "constant", value: true };

/** Arranges rules by what an event must be for them to match. */
export function buildIndex(
  rules: readonly Rule[],
  planner: Planner,
  observerOf: (rule: Rule) => Observer | undefined,
): EventIndex {
  const inContainers = new Map<RuntimeEventType, Bucket>();
  const onHost = new Map<RuntimeEventType, Bucket>();
  for (const rule of rules) {
    const candidate: Candidate = { rule, observe: observerOf(rule) };
    for (const { type, inContainer, condition } of rule.plans) {
      const place = inContainer ? inContainers : onHost;
      const bucket = place.get(type) ?? emptyBucket();
      place.set(type, bucket);
      const met = { event: 0 };
      for (const alternative of alternativesOf(condition)) addTo(bucket, alternative, type, planner, candidate, met);
    }
  }
  for (const bucket of [...inContainers.values(), ...onHost.values()]) bucket.rest.sort((a, b) => a.cost - b.cost);

  const matched: Candidate[] = [];
  let number = 0;
  let current: RuntimeEvent | undefined;
  const tryEntry = ({ candidate, test, met }: Entry): void => {
    if (met.event === number || current === undefined || !test(current)) return;
    met.event = number;
    matched.push(candidate);
  };
  return (event) => {
    matched.length = 0;
    const bucket = (event.container === null ? onHost : inContainers).get(event.type);
    if (bucket === undefined) return matched;
    number++;
    current = event;
    for (const { get, byValue } of bucket.lists) {
      const value = get(event);
      const entries = value === undefined ? undefined : byValue.get(value as string | number);
      if (entries !== undefined) for (const entry of entries) tryEntry(entry);
    }
    if (bucket.hasPaths.length > 0) bucket.paths.visit(event, tryEntry);
    for (const entry of bucket.rest) tryEntry(entry);
    current = undefined;
    return matched;
  };
}

function emptyBucket(): Bucket {
  return { keyed: new Map(), lists: [], paths: createPathIndex(), hasPaths: [], rest: [] };
}

function addTo(
  bucket: Bucket,
  condition: Resolved,
  type: RuntimeEventType,
  planner: Planner,
  candidate: Candidate,
  met: Entry["met"],
): void {
  const key = keyOf(condition);
  const test = planner.close(key === undefined ? condition : key.rest, type);
  const entry: Entry = { candidate, test, cost: planner.costOf(condition), met };
  if (key !== undefined) {
    addKeyed(bucket, key, entry);
    return;
  }
  const patterns = WITH_PATHS.has(type) ? pathBounds(condition) : undefined;
  if (patterns === undefined) bucket.rest.push(entry);
  else {
    bucket.paths.add(patterns, entry);
    bucket.hasPaths.push(true);
  }
}

function addKeyed({ keyed, lists }: Bucket, key: Key, entry: Entry): void {
  const found = findField(key.field, null);
  if (isFieldFault(found)) throw new Error(`no field ${key.field}`);
  let entries = keyed.get(key.field);
  if (entries === undefined) {
    entries = { get: found.field.getter(null), byValue: new Map() };
    keyed.set(key.field, entries);
    lists.push(entries);
  }
  for (const text of new Set(key.values)) {
    const value = found.field.type === "number" ? Number(text) : text;
    const list = entries.byValue.get(value) ?? [];
    list.push(entry);
    entries.byValue.set(value, list);
  }
}

/**
 * A condition as alternatives of which some can be found by a key: `(name = a or args contains b) and c` is
 * `name = a and c`, found by its name, or `args contains b and c`.
 */
function alternativesOf(condition: Resolved): readonly Resolved[] {
  if (condition.kind === "or") return splitKeyed(condition.items, []) ?? [condition];
  if (condition.kind !== "and" || keyOf(condition) !== undefined) return [condition];
  for (const item of condition.items) {
    const others = condition.items.filter((other) => other !== item);
    const split = item.kind === "or" ? splitKeyed(item.items, others) : undefined;
    if (split !== undefined) return split;
  }
  return [condition];
}

/** What has a key stands for itself, the rest stays together; undefined when nothing has one. */
function splitKeyed(items: readonly Resolved[], others: readonly Resolved[]): readonly Resolved[] | undefined {
  const withKey = items.filter((item) => keyOf(item) !== undefined);
  if (withKey.length === 0 || withKey.length > MAX_ALTERNATIVES) return undefined;
  const rest = items.filter((item) => !withKey.includes(item));
  const [only] = rest;
  const kept: readonly Resolved[] =
    only === undefined ? [] : rest.length === 1 ? [only] : [{ kind: "or", items: rest }];
  return [...withKey, ...kept].map((item) => joined(item, others));
}

function joined(item: Resolved, others: readonly Resolved[]): Resolved {
  if (others.length === 0) return item;
  return { kind: "and", items: [...(item.kind === "and" ? item.items : [item]), ...others] };
}

/** The test of a plan that must hold and asks a key field for one of some values; the first of the list above. */
function keyOf(condition: Resolved): Key | undefined {
  const items = condition.kind === "and" ? condition.items : [condition];
  for (const field of KEY_FIELDS) {
    const at = items.findIndex((item) => item.kind === "check" && isKey(item, field));
    const check = items[at];
    if (check?.kind !== "check") continue;
    const others = items.filter((_, index) => index !== at);
    const rest: Resolved = others.length === 0 ? TRUE : { kind: "and", items: others };
    return { field, values: check.values.map(({ text }) => text), rest };
  }
  return undefined;
}

function isKey({ left, operator, values, right }: Check, field: string): boolean {
  return (
    left.kind === "field" &&
    left.name === field &&
    left.argument === null &&
    right === null &&
    (operator === "=" || operator === "in") &&
    values.length <= MAX_KEYS
  );
}
