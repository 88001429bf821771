import type { LayerReport } from "@bulwark/model";
import { readPathList } from "./path-list.ts";

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
  const children = childrenByAncestor(live);
  const remove = (path: string) => {
    const value = live.get(path);
    if (value === undefined) return;
    live.delete(path);
    onHidden(path, value);
  };
  const removeBelow = (directory: string) => {
    for (const path of children.get(directory) ?? []) remove(path);
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
    if (children.has(path)) removeBelow(path);
  }
  return replaced;
}

function childrenByAncestor(live: ReadonlyMap<string, unknown>): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>();
  for (const path of live.keys()) {
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const ancestor = path.slice(0, slash);
      const below = children.get(ancestor);
      if (below === undefined) children.set(ancestor, [path]);
      else below.push(path);
    }
  }
  return children;
}
