import { RE2JS } from "re2js";
import type { Literal, Operator } from "../language/condition.ts";
import { compileGlob, type TextTest } from "./glob.ts";

/** Of the text that a regular expression is tried on; it runs in linear time, and this bounds the line. */
const MAX_REGEX_INPUT = 64 * 1024;
const MAX_REGEX_LENGTH = 4096;

/** A test of a text, or why there is none. */
export type TextTestOrFault = TextTest | { readonly message: string };

/** Compiles an operator and its values into a test of one text. */
export function compileTextTest(operator: Operator, values: readonly Literal[]): TextTestOrFault {
  const first = values[0]?.text ?? "";
  switch (operator) {
    case "=":
      return (text) => text === first;
    case "!=":
      return (text) => text !== first;
    case "contains":
      return (text) => text.includes(first);
    case "icontains": {
      const lower = first.toLowerCase();
      return (text) => text.toLowerCase().includes(lower);
    }
    case "startswith":
      return (text) => text.startsWith(first);
    case "endswith":
      return (text) => text.endsWith(first);
    case "glob":
      return compileGlob(first, false);
    case "iglob":
      return compileGlob(first, true);
    case "regex":
      return compileRegex(first);
    case "bcontains":
    case "bstartswith":
      return compileBytes(operator, first);
    case "pmatch":
      return compilePrefixes(values.map(({ text }) => text));
    case "in":
    case "intersects":
      return compileSet(values.map(({ text }) => text));
    default:
      return { message: `"${operator}" does not compare texts` };
  }
}

function compileSet(values: readonly string[]): TextTest {
  const [only] = values;
  if (values.length === 1 && only !== undefined) return (text) => text === only;
  const set = new Set(values);
  return (text) => set.has(text);
}

/** The whole text must fit. RE2's syntax and linear time, so that neither rule nor event can make it hang. */
function compileRegex(pattern: string): TextTestOrFault {
  if (pattern.length > MAX_REGEX_LENGTH) {
    return { message: `the regular expression is longer than ${MAX_REGEX_LENGTH} characters` };
  }
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.matches(text.length > MAX_REGEX_INPUT ? text.slice(0, MAX_REGEX_INPUT) : text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return { message: `the regular expression is not one (RE2's syntax): ${why}` };
  }
}

/** Texts are UTF-8 in which bytes that are none are written \xNN, so that bytes are compared as text. */
function compileBytes(operator: "bcontains" | "bstartswith", hex: string): TextTestOrFault {
  if (!/^(?:[0-9a-fA-F]{2})+$/.test(hex)) return { message: `"${hex}" is no hexadecimal text` };
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const wanted = new TextDecoder().decode(bytes);
  return operator === "bcontains" ? (text) => text.includes(wanted) : (text) => text.startsWith(wanted);
}

/** A path fits a prefix when it is it, or lies below it. A component of a prefix may be a glob. */
function compilePrefixes(prefixes: readonly string[]): TextTest {
  const trimmed = prefixes.map((prefix) => (prefix.length > 1 ? prefix.replace(/\/+$/, "") : prefix));
  const plain = new Set(trimmed.filter((prefix) => !/[*?[]/.test(prefix)));
  const globs = trimmed.filter((prefix) => /[*?[]/.test(prefix)).map(compileComponents);
  const everything = plain.has("/");
  const few = plain.size <= FEW_PREFIXES ? [...plain] : undefined;
  const below = few === undefined ? isBelowAny(plain) : (path: string) => few.some((prefix) => isBelow(path, prefix));
  return (path) => (everything && path.startsWith("/")) || below(path) || globs.some((glob) => glob(path));
}

/** More are looked up by the path's own parents. */
const FEW_PREFIXES = 24;
const SLASH = 47;

function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === SLASH);
}

function isBelowAny(prefixes: ReadonlySet<string>): TextTest {
  return (path) => {
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
      if (prefixes.has(path.slice(0, end))) return true;
    }
    return false;
  };
}

function compileComponents(prefix: string): TextTest {
  const tests = prefix.split("/").map((component) => compileGlob(component, false));
  return (path) => {
    const components = path.split("/");
    return components.length >= tests.length && tests.every((test, at) => test(components[at] ?? ""));
  };
}
