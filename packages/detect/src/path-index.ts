import type { RuntimeEvent } from "@bulwark/model";
import type { PathPattern } from "./sensor-policy/policy.ts";

/** Characters of a prefix, or of a suffix, by which it is found. */
const KEY_LENGTH = 4;

/** Finds what waits for a path by the patterns that its paths must fit; what fits is still to be tested. */
export interface PathIndex<Entry> {
  readonly add: (patterns: readonly PathPattern[], entry: Entry) => void;
  /** Calls back with entries for which the event's paths may do; with the same one more than once where several patterns do. */
  readonly visit: (event: RuntimeEvent, found: (entry: Entry) => void) => void;
}

interface Waiting<Entry> {
  readonly value: string;
  readonly entry: Entry;
}

/** Makes an empty index. */
export function createPathIndex<Entry>(): PathIndex<Entry> {
  const exact = new Map<string, Entry[]>();
  const prefixes = new Map<string, Waiting<Entry>[]>();
  const suffixes = new Map<string, Waiting<Entry>[]>();
  /** Too short for a key, or anywhere in the path. */
  const others: (Waiting<Entry> & { readonly kind: PathPattern["kind"] })[] = [];

  function addOne({ kind, value }: PathPattern, entry: Entry): void {
    if (kind === "exact") put(exact, value, entry);
    else if (kind === "prefix" && value.length >= KEY_LENGTH)
      put(prefixes, value.slice(0, KEY_LENGTH), { value, entry });
    else if (kind === "suffix" && value.length >= KEY_LENGTH) put(suffixes, value.slice(-KEY_LENGTH), { value, entry });
    else others.push({ kind, value, entry });
  }

  function visitPath(path: string, found: (entry: Entry) => void): void {
    const same = exact.get(path);
    if (same !== undefined) for (const entry of same) found(entry);
    const heads = prefixes.get(path.slice(0, KEY_LENGTH));
    if (heads !== undefined) for (const { value, entry } of heads) if (path.startsWith(value)) found(entry);
    const tails = suffixes.get(path.slice(-KEY_LENGTH));
    if (tails !== undefined) for (const { value, entry } of tails) if (path.endsWith(value)) found(entry);
    for (const { kind, value, entry } of others) {
      if (kind === "prefix" ? path.startsWith(value) : kind === "suffix" ? path.endsWith(value) : path.includes(value))
        found(entry);
    }
  }

  return {
    add: (patterns, entry) => {
      for (const pattern of patterns) addOne(pattern, entry);
    },
    visit: (event, found) => {
      visitPath(event.path, found);
      if (event.newPath !== "") visitPath(event.newPath, found);
    },
  };
}

function put<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
