import type { LayerReport } from "@bulwark/model";
import { readPathList } from "./path-list.ts";

/** Files below more directories are looked for another way: in a table of all directories each would stand so often. */
const MAX_DEPTH = 64;

/**
 * Takes out of `live` what the layer hides: removed files, opaque directories, files it replaces, and what lies below
 * a directory that it replaces by a file. (OCI image specification, "Representing Changes" and "Whiteouts".)
 *
 * @returns what was at the paths that the layer replaces
 */
export function layOver<Value>(
  live: Map<string, Value>,
  layer: LayerReport,
  onHidden: (path: string, value: Value) => void = () => {},
): ReadonlyMap<string, Value> {
  const replaced = new Map<string, Value>();
  if (live.size === 0) return replaced;
  const tree = treeOf(live);
  const remove = (path: string) => {
    const value = live.get(path);
    if (value === undefined) return;
    live.delete(path);
    onHidden(path, value);
  };
  const removeBelow = (directory: string) => {
    for (const path of tree.takeBelow(directory)) remove(path);
  };
  for (const path of layer.whiteouts) {
    remove(path);
    removeBelow(path);
  }
  for (const directory of layer.opaque) {
    if (directory === "") for (const path of [...live.keys()]) remove(path);
    else removeBelow(directory);
  }
  for (const path of readPathList(layer.paths)) {
    const before = live.get(path);
    if (before !== undefined) {
      replaced.set(path, before);
      remove(path);
    }
    // A file or link in the place of a directory hides everything that was below it.
    removeBelow(path);
  }
  return replaced;
}

/** Paths by the directories that they lie in. */
interface Tree {
  /** The paths below a directory, each directory once: what was taken is gone. */
  takeBelow(directory: string): readonly string[];
}

function treeOf(live: ReadonlyMap<string, unknown>): Tree {
  const children = new Map<string, string[]>();
  const deep: string[] = [];
  for (const path of live.keys()) {
    if (isDeep(path)) {
      deep.push(path);
      continue;
    }
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const ancestor = path.slice(0, slash);
      const below = children.get(ancestor);
      if (below === undefined) children.set(ancestor, [path]);
      else below.push(path);
    }
  }
  deep.sort(); // by UTF-16 units: what lies below one directory stands together
  return {
    takeBelow(directory) {
      const below = children.get(directory) ?? [];
      if (below.length > 0) children.delete(directory);
      return deep.length === 0 ? below : [...below, ...takeRange(deep, `${directory}/`)];
    },
  };
}

function isDeep(path: string): boolean {
  let depth = 0;
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    if (++depth > MAX_DEPTH) return true;
  }
  return false;
}

/** Takes out of a sorted list what begins with a prefix. */
function takeRange(sorted: string[], prefix: string): readonly string[] {
  let start = 0;
  for (let end = sorted.length; start < end; ) {
    const middle = (start + end) >>> 1;
    if ((sorted[middle] ?? "") < prefix) start = middle + 1;
    else end = middle;
  }
  let count = 0;
  while (sorted[start + count]?.startsWith(prefix) === true) count++;
  return count === 0 ? [] : sorted.splice(start, count);
}
