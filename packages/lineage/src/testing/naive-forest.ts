import type { BaseHow, Claim, NodeKind } from "../forest.ts";
import type { SmallImage } from "./small-estate.ts";

/** A node as the naive reference knows it, named by its layers. */
export interface NaiveNode {
  readonly kind: NodeKind;
  readonly parent: string;
  base: string;
  how: BaseHow;
  readonly own: number;
  readonly beneath: () => number;
  readonly dependents: () => number;
  readonly level: () => number;
  readonly root: () => string;
}

/** The forest by comparing every image with every other one: slow, and short enough to be believed. */
export function naiveForest(estate: readonly SmallImage[]) {
  const names = new Set(estate.map(({ layers }) => layers));
  for (const one of estate) for (const other of estate) names.add(sharedBeginning(one.layers, other.layers));
  names.delete("");
  const nodes = new Map<string, NaiveNode>();
  const below = (name: string, wanted: (node: string) => boolean) =>
    [...names]
      .filter((node) => node !== name && name.startsWith(node) && wanted(node))
      .sort(byLength)
      .at(-1) ?? "";
  const stands = (upper: string, lower: string): boolean => {
    const base = nodes.get(upper)!.base;
    return base !== "" && (base === lower || stands(base, lower));
  };
  for (const name of names) {
    nodes.set(name, {
      kind: kindOf(name, estate),
      parent: below(name, () => true),
      base: "",
      how: "none",
      own: estate.filter((image) => image.layers === name && image.alive).length,
      beneath: () => {
        const rests = (upper: string): boolean => {
          const lower = nodes.get(upper)!.how === "declared" ? nodes.get(upper)!.base : nodes.get(upper)!.parent;
          return lower !== "" && (lower === name || rests(lower));
        };
        return estate.filter(({ layers, alive }) => alive && layers !== "" && rests(layers)).length;
      },
      dependents: () => [...nodes.values()].filter((node) => node.kind !== "cache" && node.base === name).length,
      level: () => [...names].filter((lower) => stands(name, lower)).length,
      root: () => {
        let at = name;
        while (nodes.get(at)!.base !== "") at = nodes.get(at)!.base;
        return at;
      },
    });
  }
  for (const [name, node] of nodes) {
    node.base = below(name, (lower) => kindOf(lower, estate) !== "cache");
    if (node.base !== "") node.how = "layers";
  }
  const layersOf = (row: number) => estate[row]?.layers ?? "";
  const speaker = (name: string) => {
    const declaring = estate.filter(({ layers, declared }) => layers === name && declared !== -1);
    return declaring.find(({ declared }) => layersOf(declared) !== "") ?? declaring[0];
  };
  /** What a node's word would have it stand on, were no word left out. */
  const wanted = (name: string): string => {
    const base = layersOf(speaker(name)?.declared ?? -1);
    return nodes.get(name)!.how === "layers" || name.startsWith(base) ? "" : base;
  };
  const lowest = (name: string): string => (nodes.get(name)!.how === "layers" ? lowest(nodes.get(name)!.base) : name);
  const isCircular = (name: string) => {
    let at = wanted(name);
    for (let step = 0; at !== "" && step <= estate.length; step++) {
      if (lowest(at) === name) return true;
      at = wanted(lowest(at));
    }
    return false;
  };
  const circular = new Set([...names].filter(isCircular));
  const words = new Map([...names].map((name) => [name, circular.has(name) ? "" : wanted(name)]));
  for (const [name, base] of words) if (base !== "") Object.assign(nodes.get(name)!, { base, how: "declared" });
  const claims = estate.map(({ layers, declared }): Claim => {
    const base = layersOf(declared);
    if (declared === -1) return "none";
    if (base === "" || layers === "") return "unresolved";
    if (layers.startsWith(base)) return "agrees";
    if (nodes.get(layers)!.how === "layers" || layersOf(speaker(layers)!.declared) !== base) return "contradicted";
    return circular.has(layers) ? "cyclic" : "used";
  });
  return { nodes, claims };
}

function kindOf(name: string, estate: readonly SmallImage[]): NodeKind {
  const here = estate.filter(({ layers }) => layers === name);
  if (here.length > 0) return here.some(({ alive }) => alive) ? "known" : "deleted";
  const numbers = estate.filter(({ layers }) => layers.startsWith(name)).map(({ repository }) => repository);
  const repositories = new Set(numbers.filter((number) => number !== -1));
  return repositories.size > 1 || repositories.has(-2) ? "anonymous" : "cache";
}

function sharedBeginning(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return one.slice(0, length);
}

const byLength = (one: string, other: string) => one.length - other.length;
