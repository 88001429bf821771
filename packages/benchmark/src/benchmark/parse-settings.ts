import { type Fields, fieldsOf } from "@bulwark/model";
import { parseDocument } from "yaml";
import { UnreadFact } from "./unread.ts";

const MAX_ALIASES = 20;
const LONG_LINE = /[^\n]{4001}/;

/**
 * Settings of a configuration file by the form that its name tells: JSON and YAML as trees, all others as lines of a name and a
 * value.
 *
 * @returns undefined where the text cannot be read as what it should be
 */
export function parseTree(path: string, text: string): Fields | undefined {
  try {
    if (path.endsWith(".json")) return fieldsOf(JSON.parse(text === "" ? "{}" : text));
    const document = parseDocument(text);
    return document.errors.length > 0 ? undefined : fieldsOf(document.toJS({ maxAliasCount: MAX_ALIASES }));
  } catch {
    return undefined;
  }
}

/** Whether a file is a tree of settings. */
export function isTree(path: string): boolean {
  return /\.(?:json|ya?ml)$/.test(path);
}

/** The value at a dotted key as text; lists as text separated by commas; empty where it is not set. */
export function valueAt(tree: Fields, key: string): string {
  let value: unknown = tree;
  for (const part of key.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return "";
    value = (value as Fields)[part];
  }
  if (Array.isArray(value))
    return value.map((each) => (typeof each === "object" ? JSON.stringify(each) : String(each))).join(",");
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/**
 * Lines that are neither empty nor comments.
 *
 * @throws UnreadFact for a line that no configuration has: patterns are not tried on it
 */
export function settingLines(text: string): readonly string[] {
  if (LONG_LINE.test(text)) throw new UnreadFact("a line of the file is too long");
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^[#;]/.test(line));
}

/** The last value that lines of `name value` or `name = value` give. */
export function lineValue(text: string, key: string): string {
  const lines = settingLines(text);
  const found = lines.map((line) => /^([\w.-]+)\s*(?:=|\s)\s*(.*)$/.exec(line)).findLast((match) => match?.[1] === key);
  return (found?.[2] ?? "").replace(/^"(.*)"$/, "$1");
}

/** A value of TOML's simple kind, in the given table; `""` for the top. */
export function tomlValue(text: string, table: string, key: string): string {
  let now = "";
  for (const line of settingLines(text)) {
    const head = /^\[+\s*([^\]]+?)\s*\]+$/.exec(line);
    if (head !== null) now = head[1]!.replaceAll(/["']/g, "");
    const pair = /^"?([\w.-]+)"?\s*=\s*(.*)$/.exec(line);
    if (pair?.[1] === key && (now === table || now.endsWith(table))) return pair[2]!.replace(/^["'](.*)["']$/, "$1");
  }
  return "";
}
