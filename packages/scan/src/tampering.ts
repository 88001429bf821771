import type { ContentFact, LayerReport } from "@bulwark/model";
import type { MergedContent } from "./merge-layers.ts";
import { canonicalPath } from "./os-path.ts";
import { layOver } from "./overlay.ts";
import { readPathList } from "./path-list.ts";
import { isRecorded, readRecorded } from "./vouching.ts";

/** The part that makes the findings, as their evidence names it. */
export const TAMPERING = "tampering";

/** Files of OS packages that a report names; an image with more of them is not one that a package manager made. */
const MAX_FINDINGS = 1_000;
/** Programs and libraries: what runs, and what is loaded into what runs. */
const RUNS = /^(?:usr\/)?(?:s?bin|libexec|lib(?:32|64|x32)?)\//;

interface Changed {
  readonly layer: number;
  readonly digests: string;
}

/**
 * Finds files of OS packages whose content is not what the package manager recorded when it installed them: replaced in
 * the same layer or by a later one, whatever still has the name.
 */
export function findTampered(layers: readonly LayerReport[]): readonly MergedContent[] {
  const changed = changedFiles(layers);
  if (changed.size === 0) return [];
  const differing = differingFiles(layers, changed);
  const tampered = [...differing].map((path) => {
    const layer = changed.get(path)?.layer ?? 0;
    return { fact: factOf(path), scanner: TAMPERING, path, layer };
  });
  return tampered.sort((a, b) => (a.path < b.path ? -1 : 1)).slice(0, MAX_FINDINGS);
}

/** Files in places of the operating system for which no package of their own layer vouches, as far as they are still there. */
function changedFiles(layers: readonly LayerReport[]): ReadonlyMap<string, Changed> {
  const live = new Map<string, Changed>();
  layers.forEach((layer, index) => {
    layOver(live, layer);
    const list = readPathList(layer.digests);
    for (let path = list.next(); !path.done; path = list.next()) {
      live.set(path.value, { layer: index, digests: String(list.next().value) });
    }
  });
  return live;
}

/**
 * Those of the given files of which the package databases of the finished image record other content, and none the content
 * that is there. However often a file is recorded, only that is kept.
 */
function differingFiles(layers: readonly LayerReport[], changed: ReadonlyMap<string, Changed>): ReadonlySet<string> {
  const named = Map.groupBy(changed.keys(), canonicalPath);
  const live = liveDatabases(layers);
  const differing = new Set<string>();
  const agreeing = new Set<string>();
  layers.forEach((layer, index) => {
    for (const { database, path, digest } of readRecorded(layer.recorded)) {
      if (live.get(database) !== index) continue;
      for (const file of named.get(canonicalPath(path)) ?? []) {
        if (isRecorded(changed.get(file)?.digests ?? "", digest)) agreeing.add(file);
        else differing.add(file);
      }
    }
  });
  for (const file of agreeing) differing.delete(file);
  return differing;
}

/** Path of each package database → index of the layer it comes from. */
function liveDatabases(layers: readonly LayerReport[]): ReadonlyMap<string, number> {
  const live = new Map<string, number>();
  layers.forEach((layer, index) => {
    layOver(live, layer);
    let last = "";
    for (const { database } of readRecorded(layer.recorded)) {
      if (database !== last) live.set(database, index);
      last = database;
    }
  });
  return live;
}

function factOf(path: string): ContentFact {
  return {
    kind: "malware",
    id: "tampered-package-file",
    severity: RUNS.test(path) ? "high" : "medium",
    title: "File of an OS package differs from what the package installed",
    advice: "Find out who changed it; install the package again, or build on an untouched base image.",
    detail: "its digest is not the one that the package manager recorded",
    references: ["https://attack.mitre.org/techniques/T1554/"],
  };
}
