import { useEffect, useRef, useState } from "react";
import type { LineageNode } from "../../api/contract.ts";
import { readNodes } from "../../api/lineage.ts";
import { addNodes, type Disc, type Level, levelOf, type Total } from "./forest-model.ts";

/** A base that carries fewer is shown with all its like as one, in forests with more roots than FEW_ROOTS. */
const SMALL = 3;
const FEW_ROOTS = 5_000;
/** What a browser holds and draws with ease. */
const MAX_ROOTS = 100_000;

/** What was read of the forest. It grows as pages come, so `version` tells that it changed. */
export interface Forest {
  readonly version: number;
  readonly roots: Level;
  readonly loading: boolean;
  readonly error: Error | null;
  readonly insideOf: (disc: Disc) => Level | undefined;
  /** Everything that was read, roots and what stands on them. */
  readonly nodes: () => Iterable<LineageNode>;
  readonly discOf: (id: number) => Disc | undefined;
  /** Reads what stands on a node, unless it was read; or more of what one disc stands for. */
  readonly open: (disc: Disc) => void;
  readonly again: () => void;
}

interface Held {
  readonly roots: Level;
  readonly levels: Map<number, Level>;
  readonly discs: Map<number, Disc>;
  readonly asked: Set<Disc | "roots">;
}

/** Reads roots page by page, those that carry the most first, and what stands on them when it is asked for. */
export function useForest(total: Total | undefined): Forest {
  const held = useRef<Held>(undefined);
  held.current ??= newHeld(total);
  const [version, setVersion] = useState(0);
  const [error, setError] = useState<Error | null>(null);
  const [reading, setReading] = useState(true);
  const running = useRef(true);
  const { roots, levels, discs, asked } = held.current;

  const take = (level: Level) => {
    for (const disc of level.discs) if (disc.node !== undefined) discs.set(disc.node.id, disc);
    setVersion((before) => before + 1);
  };
  const readRoots = async (whole: boolean) => {
    if (asked.has("roots")) return;
    asked.add("roots");
    setReading(true);
    setError(null);
    try {
      do {
        const page = await readNodes({ least: 1, ...(roots.next === undefined ? {} : { cursor: roots.next }) });
        if (!running.current) return;
        const count = roots.nodes.length + page.items.length;
        const smallest = page.items.at(-1)?.beneath ?? 0;
        const pauses = (!whole && smallest < SMALL && count > FEW_ROOTS) || count >= MAX_ROOTS;
        addNodes(roots, page.items, page.next, pauses);
        take(roots);
        if (pauses) break;
      } while (roots.next !== undefined);
    } catch (cause) {
      setError(cause instanceof Error ? cause : new Error(String(cause)));
    } finally {
      asked.delete("roots");
      if (running.current) setReading(false);
    }
  };
  const readInside = async (disc: Disc, level: Level) => {
    if (asked.has(disc)) return;
    asked.add(disc);
    const under = level.under?.node?.id;
    try {
      const page = await readNodes({
        least: 0,
        ...(under === undefined ? {} : { under }),
        ...(level.next === undefined ? {} : { cursor: level.next }),
      });
      if (!running.current) return;
      addNodes(level, page.items, page.next, true);
      if (under !== undefined) levels.set(under, level);
      take(level);
    } catch (cause) {
      setError(cause instanceof Error ? cause : new Error(String(cause)));
    } finally {
      asked.delete(disc);
    }
  };
  const start = useRef(readRoots);
  useEffect(() => {
    running.current = true;
    void start.current(false);
    return () => {
      running.current = false;
    };
  }, []);
  const [allNodes, allImages] = [total?.nodes, total?.images];
  useEffect(() => {
    const level = held.current?.roots;
    if (allNodes === undefined || allImages === undefined || level === undefined) return;
    level.total = { nodes: allNodes, images: allImages };
    // What stands for the rest was drawn before it was known how much that is.
    if (level.nodes.length === 0 || level.discs.at(-1)?.node !== undefined) return;
    addNodes(level, [], level.next, true);
    setVersion((before) => before + 1);
  }, [allNodes, allImages]);
  return {
    version,
    roots,
    loading: reading && roots.nodes.length === 0,
    error,
    insideOf: ({ node }) => (node === undefined ? undefined : levels.get(node.id)),
    nodes: function* () {
      for (const { node } of discs.values()) if (node !== undefined) yield node;
    },
    discOf: (id) => discs.get(id),
    open: (disc) => {
      const { node, level } = disc;
      if (node === undefined) {
        void (level.under === undefined ? readRoots(true) : readInside(disc, level));
        return;
      }
      if (node.children === 0 || levels.has(node.id)) return;
      void readInside(disc, levelOf(disc, { nodes: node.children, images: node.beneath }));
    },
    again: () => void readRoots(false),
  };
}

function newHeld(total: Total | undefined): Held {
  return { roots: levelOf(undefined, total), levels: new Map(), discs: new Map(), asked: new Set() };
}
