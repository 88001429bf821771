import { isScalar, isSeq } from "yaml";
import type { Literal } from "./condition.ts";
import type { Entry, Gathered } from "./entry.ts";
import { joinTexts, placeOf, sourceText, wordOf } from "./source-text.ts";

type Change = "append" | "replace";

/** How an entry changes what an earlier one of its name says: per key, by `override`, or by the older `append: true`. */
export interface Changes {
  readonly append: boolean;
  readonly keys: ReadonlyMap<string, Change>;
}

const YES = ["true", "yes", "on"];

/** Whether a key says yes; a missing one says `otherwise`. */
export function flagOf(entry: Entry, key: string, otherwise: boolean): boolean {
  const node = entry.keys.get(key);
  if (node === undefined) return otherwise;
  const word = wordOf(node).toLowerCase();
  if (!YES.includes(word) && !["false", "no", "off"].includes(word)) {
    entry.problem("error", `"${key}" must be true or false`, node);
  }
  return YES.includes(word);
}

/**
 * Reads `append` and `override`.
 *
 * @param allowed the keys that can be overridden, and whether they can be appended to
 * @returns undefined when they contradict each other or themselves, which is then among the problems
 */
export function changesOf(entry: Entry, allowed: Readonly<Record<string, readonly Change[]>>): Changes | undefined {
  const append = flagOf(entry, "append", false);
  const keys = new Map<string, Change>();
  const node = entry.keys.get("override");
  if (node === undefined) return { append, keys };
  if (append) return refused(entry, `"append" and "override" cannot stand together`, node);
  const pairs = (node as { readonly items?: readonly { readonly key: unknown; readonly value: unknown }[] }).items;
  if (pairs === undefined || isSeq(node)) return refused(entry, `"override" must be a mapping of keys`, node);
  for (const pair of pairs) {
    const key = wordOf(pair.key);
    const how = wordOf(pair.value);
    const possible = Object.hasOwn(allowed, key) ? allowed[key] : undefined;
    if (possible === undefined) return refused(entry, `"${key}" cannot be overridden`, pair.key);
    const change = possible.find((word) => word === how);
    if (change === undefined) {
      return refused(entry, `"${key}" can be overridden by ${possible.join(" or ")}, not by "${how}"`, pair.value);
    }
    if (!entry.keys.has(key)) return refused(entry, `"${key}" is to be overridden, and is not given`, pair.key);
    keys.set(key, change);
  }
  const loose = [...entry.keys.keys()].find((key) => Object.hasOwn(allowed, key) && !keys.has(key));
  if (loose !== undefined) return refused(entry, `"${loose}" is given, and "override" does not say how it is meant`);
  return { append: false, keys };
}

function refused(entry: Entry, message: string, node?: unknown): undefined {
  entry.problem("error", message, node);
  return undefined;
}

/** A value of a list; quotes within it say that it is no list's name, as they do in a condition. */
export function literalOf(word: string): Literal {
  const inner = /^(["'])(.*)\1$/s.exec(word);
  return inner === null ? { text: word, quoted: false } : { text: inner[2] ?? "", quoted: true };
}

/** Reads a list, or what is to be appended to one. */
export function readList(entry: Entry, gathered: Gathered): void {
  const changes = changesOf(entry, { items: ["append", "replace"] });
  if (changes === undefined) return;
  const node = entry.keys.get("items");
  if (!isSeq(node)) {
    entry.problem("error", `the list "${entry.name}" needs "items"`, node);
    return;
  }
  const items = node.items.map((item) => ({ literal: literalOf(wordOf(item)), order: entry.order }));
  const before = gathered.lists.get(entry.name);
  const how = changes.append ? "append" : changes.keys.get("items");
  if (how !== undefined && before === undefined) {
    entry.problem("error", `there is no list "${entry.name}" to ${how === "append" ? "append to" : "replace"}`);
    return;
  }
  const place = placeOf(entry.source, entry.map);
  const base = before ?? { name: entry.name, order: entry.order, items: [], place };
  gathered.lists.set(entry.name, how === "append" ? { ...base, items: [...base.items, ...items] } : { ...base, items });
}

/** Reads a macro, or what is to be appended to one. */
export function readMacro(entry: Entry, gathered: Gathered): void {
  const changes = changesOf(entry, { condition: ["append", "replace"] });
  if (changes === undefined) return;
  const node = entry.keys.get("condition");
  if (!isScalar(node) || wordOf(node).trim() === "") {
    entry.problem("error", `the macro "${entry.name}" needs "condition"`, node);
    return;
  }
  const condition = sourceText(entry.source, node);
  const before = gathered.macros.get(entry.name);
  const how = changes.append ? "append" : changes.keys.get("condition");
  if (how !== undefined && before === undefined) {
    entry.problem("error", `there is no macro "${entry.name}" to ${how === "append" ? "append to" : "replace"}`);
    return;
  }
  gathered.macros.set(entry.name, {
    name: entry.name,
    condition: how === "append" && before !== undefined ? joinTexts(before.condition, condition) : condition,
    place: before?.place ?? placeOf(entry.source, entry.map),
  });
}
