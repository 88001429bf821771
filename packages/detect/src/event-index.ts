import type { RuntimeEvent, RuntimeEventType } from "@bulwark/model";
import type { Test } from "./compile/compile-check.ts";
import type { Planner } from "./compile/plan.ts";
import type { Getter } from "./fields/field.ts";
import { findField, isFieldFault } from "./fields/table.ts";
import type { Check, Resolved } from "./language/condition.ts";
import type { Rule } from "./rule-set.ts";
import type { Observer } from "./stateful/stateful-detector.ts";

/** A rule ready for one situation. */
export interface Candidate {
  readonly rule: Rule;
  readonly test: Test;
  readonly observe: Observer | undefined;
}

/** Calls back with every rule that an event meets. */
export type EventIndex = (event: RuntimeEvent, matched: (candidate: Candidate) => void) => void;

/** Fields with few values per rule and many per fleet: rules that ask for one of them are found by its value. */
const KEY_FIELDS = [
  "proc.name",
  "fd.name",
  "fs.path.name",
  "fd.filename",
  "fd.directory",
  "proc.pname",
  "fd.rport",
  "fd.sport",
];
/** More values than that cost more memory than they save time. */
const MAX_KEYS = 2000;

interface KeyedCandidates {
  readonly get: Getter;
  readonly byValue: Map<string | number, Candidate[]>;
}

interface Bucket {
  readonly keyed: readonly KeyedCandidates[];
  readonly rest: readonly Candidate[];
}

/** While it is filled. */
interface OpenBucket {
  readonly keyed: Map<string, KeyedCandidates>;
  readonly rest: { readonly candidate: Candidate; readonly cost: number }[];
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
  const open = new Map<string, OpenBucket>();
  for (const rule of rules) {
    const observe = observerOf(rule);
    for (const { type, inContainer, condition } of rule.plans) {
      const place = `${type} ${inContainer}`;
      const bucket: OpenBucket = open.get(place) ?? { keyed: new Map(), rest: [] };
      open.set(place, bucket);
      const key = keyOf(condition);
      const test = planner.close(key === undefined ? condition : key.rest);
      const candidate: Candidate = { rule, test, observe };
      if (key === undefined) bucket.rest.push({ candidate, cost: planner.costOf(condition) });
      else addKeyed(bucket.keyed, key, candidate);
    }
  }
  for (const [place, { keyed, rest }] of open) {
    const [type, inContainer] = place.split(" ");
    const sorted = rest.toSorted((a, b) => a.cost - b.cost).map(({ candidate }) => candidate);
    const bucket: Bucket = { keyed: [...keyed.values()], rest: sorted };
    (inContainer === "true" ? inContainers : onHost).set(type as RuntimeEventType, bucket);
  }
  return (event, matched) => {
    const bucket = (event.container === null ? onHost : inContainers).get(event.type);
    if (bucket !== undefined) visit(bucket, event, matched);
  };
}

function visit({ keyed, rest }: Bucket, event: RuntimeEvent, matched: (candidate: Candidate) => void): void {
  for (const { get, byValue } of keyed) {
    const value = get(event);
    const candidates = value === undefined ? undefined : byValue.get(value as string | number);
    if (candidates !== undefined) run(candidates, event, matched);
  }
  run(rest, event, matched);
}

function run(candidates: readonly Candidate[], event: RuntimeEvent, matched: (candidate: Candidate) => void): void {
  for (const candidate of candidates) if (candidate.test(event)) matched(candidate);
}

function addKeyed(keyed: Map<string, KeyedCandidates>, key: Key, candidate: Candidate): void {
  const found = findField(key.field, null);
  if (isFieldFault(found)) throw new Error(`no field ${key.field}`);
  const entry = keyed.get(key.field) ?? { get: found.field.getter(null), byValue: new Map() };
  keyed.set(key.field, entry);
  for (const text of new Set(key.values)) {
    const value = found.field.type === "number" ? Number(text) : text;
    const list = entry.byValue.get(value) ?? [];
    list.push(candidate);
    entry.byValue.set(value, list);
  }
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
