import { REDACTED, redactArguments, redactText } from "../redact-arguments.ts";

/** Deeper than any object of Kubernetes; what lies below is left out. */
const MAX_DEPTH = 48;
/** Values of one object that is copied whole; the API server takes 3 MiB, which hold a million and more. */
const MAX_VALUES = 200_000;
const MAX_TEXT = 8192;

/** Whose content is secret as a whole. */
const SECRET_RESOURCES: ReadonlySet<string> = new Set(["secrets", "configmaps"]);
const SECRET_KINDS: ReadonlySet<string> = new Set(["Secret", "SecretList", "ConfigMap", "ConfigMapList"]);
const CONTENT: ReadonlySet<string> = new Set(["data", "stringData", "binaryData"]);
/** Holds the whole object again, its secrets too. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
/** `secretName` and `tokenRequest` are none, `password` and `client_secret` are. */
const SECRET_NAME =
  /(?:token|password|passwd|passphrase|secret|apikey|api[_-]key|access[_-]?key|private[_-]?key|credentials?)$/i;
const WORDS: ReadonlySet<string> = new Set(["command", "args"]);

interface Walk {
  /** Whether `data` is secret here. */
  readonly secret: boolean;
}

/** How large a value is, as far as it matters. */
export interface Extent {
  /** It has more values than are copied. */
  readonly isWide: boolean;
  /** It goes deeper than is copied. */
  readonly isDeep: boolean;
}

/** Measures a value before it is copied; stops counting where it is too large. */
export function extentOf(value: unknown): Extent {
  let left = MAX_VALUES;
  let isDeep = false;
  const count = (at: unknown, depth: number): void => {
    if (typeof at !== "object" || at === null) return;
    if (depth > MAX_DEPTH) {
      isDeep = true;
      return;
    }
    const inside = Array.isArray(at) ? at : Object.values(at);
    left -= inside.length + 1;
    for (const each of inside) {
      if (left < 0) return;
      count(each, depth + 1);
    }
  };
  count(value, 0);
  return { isWide: left < 0, isDeep };
}

/**
 * A copy of an object or patch of a request without what is secret in it: the content of secrets and config maps, values of
 * environment variables, passwords and tokens by their names, in arguments by their form, and objects hidden in annotations. Names
 * stay. What is too deep is left out; the value is not wide (`extentOf`).
 *
 * @param resource of the request: `secrets`
 */
export function redactAuditObject(value: unknown, resource: string): unknown {
  return copy(value, "", { secret: SECRET_RESOURCES.has(resource) }, 0);
}

/**
 * The address of a request without query parameters that are secret by their names, and without credentials in a command that is run
 * in a pod, whose words are a parameter each.
 */
export function redactUri(uri: string): string {
  const start = uri.indexOf("?");
  if (start < 0) return uri;
  const pairs = uri
    .slice(start + 1)
    .split("&")
    .map(splitPair);
  const words = redactWords(
    "command",
    pairs.filter(([name]) => name === "command").map(([, value]) => decoded(value)),
  );
  let word = 0;
  const clean = pairs.map(([name, value, text]) => {
    if (SECRET_NAME.test(name)) return `${name}=${REDACTED}`;
    const shown = name === "command" ? (words[word++] ?? "") : redactText(decoded(value));
    return shown === decoded(value) ? text : `${name}=${encodeURIComponent(shown)}`;
  });
  return `${uri.slice(0, start)}?${clean.join("&")}`;
}

function splitPair(text: string): readonly [name: string, value: string, text: string] {
  const equals = text.indexOf("=");
  return equals < 0 ? [text, "", text] : [text.slice(0, equals), text.slice(equals + 1), text];
}

/** Of a query parameter (URL Standard, application/x-www-form-urlencoded). */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    // A broken escape stands for itself.
    return text;
  }
}

function copy(value: unknown, key: string, walk: Walk, depth: number): unknown {
  if (typeof value === "string") return copyText(value, key);
  if (typeof value !== "object" || value === null) return value;
  if (depth > MAX_DEPTH) return null;
  if (Array.isArray(value)) return copyList(value, key, walk, depth);
  const own = value as Readonly<Record<string, unknown>>;
  const inside = walk.secret || !SECRET_KINDS.has(String(own.kind)) ? walk : { secret: true };
  const isOperation = typeof own.op === "string" && typeof own.path === "string";
  const pairs = Object.entries(own).map(([name, each]) => {
    if (isOperation && name === "value") return [name, patched(String(own.path), each, inside, depth)] as const;
    return [name, member(name, each, key, inside, depth)] as const;
  });
  // An own property, also when it is called __proto__.
  return Object.fromEntries(pairs);
}

function copyText(value: string, key: string): string {
  const kept = value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
  return key !== "" && SECRET_NAME.test(key) ? REDACTED : redactText(kept);
}

function copyList(list: readonly unknown[], key: string, walk: Walk, depth: number): unknown {
  const isWords = WORDS.has(key) && list.every((word) => typeof word === "string");
  const items: readonly unknown[] = isWords ? redactWords(key, list as readonly string[]) : list;
  return items.map((item) => copy(item, key, walk, depth + 1));
}

/** A command begins with its program, which says what its options mean; arguments may stand without it. */
function redactWords(key: string, words: readonly string[]): readonly string[] {
  if (key !== "command") return redactArguments(["", ...words]).slice(1);
  return redactArguments(words).map((word, at) => (at === 0 ? redactText(word) : word));
}

function member(name: string, value: unknown, parent: string, walk: Walk, depth: number): unknown {
  if (name === LAST_APPLIED) return REDACTED;
  if (walk.secret && CONTENT.has(name)) return hidden(value);
  // Names of environment variables stay, and where their values come from.
  if (name === "value" && (parent === "env" || parent === "initialEnv")) return REDACTED;
  return copy(value, name, walk, depth + 1);
}

/** Keys stay: they say which content was changed. */
function hidden(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value === null ? null : REDACTED;
  return Object.fromEntries(Object.keys(value).map((name) => [name, REDACTED]));
}

/** The value of one operation (RFC 6902, section 4), which stands apart from what it is a value of. */
function patched(path: string, value: unknown, walk: Walk, depth: number): unknown {
  const names = path.split("/").map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = names.at(-1) ?? "";
  if (walk.secret && names.some((name) => CONTENT.has(name))) return CONTENT.has(last) ? hidden(value) : REDACTED;
  if (last === LAST_APPLIED || (last === "value" && names.includes("env"))) return REDACTED;
  // An element of a list is read like the list: `/spec/containers/0/env/1`.
  const list = names.findLast((name) => !/^(?:\d+|-)$/.test(name)) ?? "";
  return copy(value, list, walk, depth + 1);
}
