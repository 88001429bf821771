import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type YAMLMap } from "yaml";
import type { Definitions, RuleProblem } from "./definitions.ts";
import type { Entry, Gathered } from "./entry.ts";
import { readRule } from "./read-rule.ts";
import { readList, readMacro } from "./read-vocabulary.ts";
import { placeOf, type Source, wordOf } from "./source-text.ts";

/** Of one file. */
const MAX_FILE_LENGTH = 8 * 1024 * 1024;
const MAX_ALIASES = 1000;
/** Of all files together. */
const MAX_DEFINITIONS = 20_000;
/** Newer engines only added to the language; what of it is not known here is told per rule. */
const NOT_OURS = ["required_engine_version", "required_plugin_versions"];

/** A rule file as it was handed in. */
export interface RuleFile {
  readonly name: string;
  readonly text: string;
}

/**
 * Reads rule files in their order: later ones append to, override and replace what earlier ones define. Nothing in a
 * file makes it fail; what cannot be used is among the problems.
 */
export function readRules(files: readonly RuleFile[]): Definitions {
  const gathered: Gathered = { lists: new Map(), macros: new Map(), rules: new Map(), problems: [] };
  let order = 0;
  for (const { name, text } of files) {
    for (const { source, node } of entriesOf(name, text, gathered.problems)) {
      if (++order > MAX_DEFINITIONS) {
        const message = `there are more than ${MAX_DEFINITIONS} definitions; the rest is left out`;
        gathered.problems.push({ level: "error", message, place: placeOf(source, node), rule: "" });
        return gathered;
      }
      readEntry(source, node, order, gathered);
    }
  }
  return gathered;
}

function* entriesOf(file: string, text: string, problems: RuleProblem[]) {
  const source: Source = { file, text, lines: new LineCounter() };
  const fail = (message: string, offset = 0) => {
    const { line, col } = source.lines.linePos(offset);
    problems.push({ level: "error", message, place: { file, line, column: col }, rule: "" });
  };
  if (text.length > MAX_FILE_LENGTH) return fail(`the file is longer than ${MAX_FILE_LENGTH} characters`);
  for (const document of parseAllDocuments(text, { lineCounter: source.lines })) {
    const [error] = document.errors;
    if (error !== undefined) return fail(`not YAML: ${error.message.split("\n", 1)[0]}`, error.pos[0]);
    try {
      // Resolves aliases within their bound once, so that a nest of them ends here.
      document.toJS({ maxAliasCount: MAX_ALIASES });
    } catch (cause) {
      return fail(`not YAML: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
    const { contents } = document;
    if (contents === null) continue;
    if (!isSeq(contents)) return fail("a rule file is a list of rules, macros and lists");
    for (const item of contents.items) yield { source, node: item };
  }
}

function readEntry(source: Source, node: unknown, order: number, gathered: Gathered): void {
  const place = placeOf(source, node);
  if (!isMap(node)) {
    gathered.problems.push({ level: "error", message: "an entry must be a mapping", place, rule: "" });
    return;
  }
  const keys = new Map(node.items.map((pair) => [wordOf(pair.key), pair.value as unknown]));
  const kind = ["rule", "macro", "list"].find((key) => keys.has(key));
  if (kind === undefined) {
    if (NOT_OURS.some((key) => keys.has(key))) return;
    const known = `"rule", "macro", "list", ${NOT_OURS.map((key) => `"${key}"`).join(", ")}`;
    gathered.problems.push({ level: "warning", message: `an entry without ${known} is ignored`, place, rule: "" });
    return;
  }
  const name = isScalar(keys.get(kind)) ? wordOf(keys.get(kind)).trim() : "";
  const problem: Entry["problem"] = (level, message, at = node) =>
    gathered.problems.push({ level, message, place: placeOf(source, at), rule: kind === "rule" ? name : "" });
  if (name === "") {
    problem("error", `the ${kind} has no name`);
    return;
  }
  const entry = { source, map: node as YAMLMap, name, order, keys, problem };
  if (kind === "rule") readRule(entry, gathered);
  else if (kind === "macro") readMacro(entry, gathered);
  else readList(entry, gathered);
}
