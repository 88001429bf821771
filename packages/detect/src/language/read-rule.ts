import { isMap, isScalar, isSeq } from "yaml";
import { PRIORITIES, type Priority, readPriority } from "../priority.ts";
import type { RuleDefinition } from "./definitions.ts";
import type { Entry, Gathered } from "./entry.ts";
import { mergeExceptions, readExceptions } from "./read-exceptions.ts";
import { changesOf, flagOf } from "./read-vocabulary.ts";
import { joinTexts, placeOf, type SourceText, sourceText, wordOf } from "./source-text.ts";

const OVERRIDABLE = {
  condition: ["append", "replace"],
  output: ["append", "replace"],
  desc: ["append", "replace"],
  tags: ["append", "replace"],
  exceptions: ["append", "replace"],
  advice: ["replace"],
  priority: ["replace"],
  enabled: ["replace"],
  warn_evttypes: ["replace"],
  "skip-if-unknown-filter": ["replace"],
  settings: ["replace"],
} as const;
const KNOWN = new Set([...Object.keys(OVERRIDABLE), "rule", "source", "append", "override", "detector", "capture"]);

/** The parts of a rule that an entry gives; undefined are those it does not. */
type Parts = { readonly [Key in keyof RuleDefinition]?: RuleDefinition[Key] | undefined };

/** Reads a rule, or what an entry of the same name changes about it. */
export function readRule(entry: Entry, gathered: Gathered): void {
  const unknown = [...entry.keys.keys()].find((key) => !KNOWN.has(key));
  if (unknown !== undefined) entry.problem("warning", `the key "${unknown}" is not known and is ignored`);
  const before = gathered.rules.get(entry.name);
  const changes = changesOf(entry, OVERRIDABLE);
  if (changes === undefined) return;
  const parts = readParts(entry);
  if (parts === undefined) return;
  if (changes.append || changes.keys.size > 0) {
    if (before === undefined) {
      entry.problem("error", `there is no rule "${entry.name}" to change`);
      return;
    }
    const how = changes.append
      ? new Map([...entry.keys.keys()].map((key) => [key, "append"] as const))
      : new Map(changes.keys);
    const changed = changedRule(entry, before, parts, how);
    if (changed !== undefined) gathered.rules.set(entry.name, changed);
    return;
  }
  // An entry that says nothing but `enabled` switches an earlier rule on or off.
  if (before !== undefined && entry.keys.size === 2 && parts.enabled !== undefined) {
    gathered.rules.set(entry.name, { ...before, enabled: parts.enabled });
    return;
  }
  const rule = wholeRule(entry, parts);
  if (rule === undefined) return;
  // A rule that is defined again keeps its turn.
  gathered.rules.set(entry.name, rule);
}

function wholeRule(entry: Entry, parts: Parts): RuleDefinition | undefined {
  const { condition, output, priority } = parts;
  const missing = [
    condition === undefined ? "condition" : "",
    output === undefined ? "output" : "",
    priority === undefined ? "priority" : "",
    parts.description === undefined ? "desc" : "",
  ].filter((key) => key !== "");
  if (condition === undefined || output === undefined || priority === undefined || missing.length > 0) {
    entry.problem("error", `the rule needs ${missing.map((key) => `"${key}"`).join(", ")}`);
    return undefined;
  }
  return {
    name: entry.name,
    description: parts.description ?? "",
    condition,
    output,
    priority,
    tags: parts.tags ?? [],
    enabled: parts.enabled ?? true,
    source: parts.source ?? "syscall",
    exceptions: parts.exceptions ?? [],
    warnEventTypes: parts.warnEventTypes ?? true,
    skipIfUnknownFilter: parts.skipIfUnknownFilter ?? false,
    advice: parts.advice ?? "",
    detector: parts.detector ?? "",
    settings: parts.settings ?? {},
    place: placeOf(entry.source, entry.map),
  };
}

function changedRule(
  entry: Entry,
  before: RuleDefinition,
  parts: Parts,
  how: ReadonlyMap<string, "append" | "replace">,
): RuleDefinition | undefined {
  const text = (key: string, old: SourceText, given: SourceText | undefined): SourceText =>
    given === undefined || !how.has(key) ? old : how.get(key) === "append" ? joinTexts(old, given) : given;
  const desc = parts.description;
  const exceptions =
    parts.exceptions === undefined || how.get("exceptions") !== "append"
      ? (parts.exceptions ?? before.exceptions)
      : mergeExceptions(entry, before.exceptions, parts.exceptions);
  if (exceptions === undefined) return undefined;
  const tags = parts.tags ?? [];
  return {
    ...before,
    condition: text("condition", before.condition, parts.condition),
    output: text("output", before.output, parts.output),
    description:
      desc === undefined ? before.description : how.get("desc") === "append" ? `${before.description} ${desc}` : desc,
    tags: how.get("tags") === "replace" ? tags : [...new Set([...before.tags, ...tags])],
    exceptions,
    priority: parts.priority ?? before.priority,
    enabled: parts.enabled ?? before.enabled,
    warnEventTypes: parts.warnEventTypes ?? before.warnEventTypes,
    skipIfUnknownFilter: parts.skipIfUnknownFilter ?? before.skipIfUnknownFilter,
    advice: parts.advice ?? before.advice,
    settings: parts.settings ?? before.settings,
  };
}

function readParts(entry: Entry): Parts | undefined {
  let broken = false;
  const fail = (message: string, node: unknown): undefined => {
    entry.problem("error", message, node);
    broken = true;
  };
  const text = (key: string): SourceText | undefined => {
    const node = entry.keys.get(key);
    if (node === undefined) return undefined;
    if (!isScalar(node) || wordOf(node).trim() === "") return fail(`"${key}" must be text`, node);
    return sourceText(entry.source, node);
  };
  const flag = (key: string): boolean | undefined => (entry.keys.has(key) ? flagOf(entry, key, false) : undefined);
  const exceptions = entry.keys.has("exceptions") ? readExceptions(entry) : undefined;
  if (entry.keys.has("exceptions") && exceptions === undefined) broken = true;
  const parts: Parts = {
    condition: text("condition"),
    output: text("output"),
    description: entry.keys.has("desc") ? (text("desc")?.text ?? "").trim() : undefined,
    priority: readPriorityOf(entry, fail),
    tags: readTags(entry, fail),
    enabled: flag("enabled"),
    source: entry.keys.has("source") ? wordOf(entry.keys.get("source")) : undefined,
    exceptions,
    warnEventTypes: flag("warn_evttypes"),
    skipIfUnknownFilter: flag("skip-if-unknown-filter"),
    advice: entry.keys.has("advice") ? (text("advice")?.text ?? "").trim() : undefined,
    detector: entry.keys.has("detector") ? wordOf(entry.keys.get("detector")) : undefined,
    settings: readSettings(entry, fail),
  };
  return broken ? undefined : parts;
}

type Fail = (message: string, node: unknown) => undefined;

function readPriorityOf(entry: Entry, fail: Fail): Priority | undefined {
  const node = entry.keys.get("priority");
  if (node === undefined) return undefined;
  const priority = readPriority(wordOf(node));
  return priority ?? fail(`"${wordOf(node)}" is no priority; known are ${PRIORITIES.join(", ")}`, node);
}

function readTags(entry: Entry, fail: Fail): readonly string[] | undefined {
  const node = entry.keys.get("tags");
  if (node === undefined) return undefined;
  if (!isSeq(node)) return fail(`"tags" must be a list`, node);
  return node.items.map(wordOf).filter((tag) => tag !== "");
}

function readSettings(entry: Entry, fail: Fail): RuleDefinition["settings"] | undefined {
  const node = entry.keys.get("settings");
  if (node === undefined) return undefined;
  if (!isMap(node)) return fail(`"settings" must be a mapping`, node);
  const settings: Record<string, number | string | readonly string[]> = {};
  for (const pair of node.items) {
    const value: unknown = isScalar(pair.value) ? pair.value.value : undefined;
    if (typeof value === "number" || typeof value === "string") settings[wordOf(pair.key)] = value;
    else if (isSeq(pair.value)) settings[wordOf(pair.key)] = pair.value.items.map(wordOf);
    else return fail(`"${wordOf(pair.key)}" must be a number, a text or a list of texts`, pair.value ?? node);
  }
  return settings;
}
