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
  const records = recordsOf(layers, changed);
  const tampered: MergedContent[] = [];
  for (const [path, { layer, digests }] of changed) {
    const recorded = records.get(canonicalPath(path)) ?? [];
    if (recorded.length === 0 || recorded.some((digest) => isRecorded(digests, digest))) continue;
    tampered.push({ fact: factOf(path), scanner: TAMPERING, path, layer });
  }
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

/** What the package databases of the finished image record of the given files, by canonical path. */
function recordsOf(
  layers: readonly LayerReport[],
  changed: ReadonlyMap<string, Changed>,
): ReadonlyMap<string, readonly string[]> {
  const wanted = new Set([...changed.keys()].map(canonicalPath));
  const live = liveDatabases(layers);
  const records = new Map<string, string[]>();
  layers.forEach((layer, index) => {
    for (const { database, path, digest } of readRecorded(layer.recorded)) {
      const canonical = canonicalPath(path);
      if (live.get(database) !== index || !wanted.has(canonical)) continue;
      const known = records.get(canonical);
      if (known === undefined) records.set(canonical, [digest]);
      else known.push(digest);
    }
  });
  return records;
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
