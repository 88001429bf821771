import { chooseOs } from "@bulwark/ecosystems";
import type { FileReport, LayerReport, OperatingSystem, PackageFact, Problem } from "@bulwark/model";
import { readPathList } from "./path-list.ts";

/** OS package managers report what they installed; everything else may be owned by one of them. */
const OS_TYPES: ReadonlySet<string> = new Set(["deb", "apk", "rpm"]);
const MERGED_USR = /^usr\/(?=(?:bin|sbin|lib|lib32|lib64|libx32)\/)/;

/** A package that is there in the finished image. */
export interface MergedPackage {
  readonly fact: PackageFact;
  /** Path of the file that told, relative to the root. */
  readonly path: string;
  /** Index of the layer that brought it. */
  readonly layer: number;
}

/** What the layers amount to. */
export interface MergedImage {
  readonly os: OperatingSystem | null;
  readonly packages: readonly MergedPackage[];
  readonly problems: readonly Problem[];
}

/** The state of one path while the layers are laid on each other. */
interface Live {
  readonly layer: number;
  readonly reports: readonly FileReport[];
  /** Which layer brought each package of the file: a package database is rewritten whole by every layer that touches it. */
  readonly broughtBy: ReadonlyMap<string, number>;
}

/**
 * Lays the layers on each other, lowest first: whiteouts, opaque directories and replaced files hide what lower layers
 * told; a package that a rewritten database still lists keeps the layer that brought it. What an OS package owns is
 * reported by that package alone. (OCI image specification, "Representing Changes" and "Whiteouts".)
 */
export function mergeLayers(layers: readonly LayerReport[]): MergedImage {
  const live = new Map<string, Live>();
  const problems: Problem[] = [];
  layers.forEach((layer, index) => {
    const replaced = applyLayer(live, layer);
    addFiles(live, layer, index, replaced);
    for (const { path, what } of layer.problems) problems.push({ path, layer: index, what });
  });
  const owned = ownedPaths(layers, live);
  const packages: MergedPackage[] = [];
  for (const [path, state] of live) {
    for (const report of state.reports) {
      for (const what of report.problems) problems.push({ path, layer: state.layer, what });
      for (const fact of report.packages) {
        if (!OS_TYPES.has(fact.type) && owned.has(canonical(path))) continue;
        packages.push({ fact, path, layer: state.broughtBy.get(identityOf(fact)) ?? state.layer });
      }
    }
  }
  return { os: osOf(live), packages, problems };
}

/** Removes what the layer hides and returns what was at the paths it replaces. */
function applyLayer(live: Map<string, Live>, layer: LayerReport): ReadonlyMap<string, Live> {
  const replaced = new Map<string, Live>();
  if (live.size === 0) return replaced;
  const children = childrenByAncestor(live);
  const removeBelow = (directory: string) => {
    for (const path of children.get(directory) ?? []) live.delete(path);
  };
  for (const path of layer.whiteouts) {
    live.delete(path);
    removeBelow(path);
  }
  for (const directory of layer.opaque) {
    if (directory === "") live.clear();
    else removeBelow(directory);
  }
  for (const path of readPathList(layer.paths)) {
    const before = live.get(path);
    if (before !== undefined) {
      replaced.set(path, before);
      live.delete(path);
    }
    // A file or link in the place of a directory hides everything that was below it.
    if (children.has(path)) removeBelow(path);
  }
  return replaced;
}

function childrenByAncestor(live: ReadonlyMap<string, Live>): ReadonlyMap<string, readonly string[]> {
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

function addFiles(
  live: Map<string, Live>,
  layer: LayerReport,
  index: number,
  replaced: ReadonlyMap<string, Live>,
): void {
  const byPath = new Map<string, FileReport[]>();
  for (const report of layer.files) {
    const reports = byPath.get(report.path);
    if (reports === undefined) byPath.set(report.path, [report]);
    else reports.push(report);
  }
  for (const [path, reports] of byPath) {
    const before = replaced.get(path)?.broughtBy;
    const broughtBy = new Map<string, number>();
    for (const report of reports) {
      for (const fact of report.packages) {
        const identity = identityOf(fact);
        broughtBy.set(identity, before?.get(identity) ?? index);
      }
    }
    live.set(path, { layer: index, reports, broughtBy });
  }
}

function identityOf(fact: PackageFact): string {
  return `${fact.type}\0${fact.namespace}\0${fact.name}\0${fact.version}\0${fact.arch ?? ""}\0${fact.inner ?? ""}`;
}

/** Paths that OS packages own, as far as the file that says so is still there. */
function ownedPaths(layers: readonly LayerReport[], live: ReadonlyMap<string, Live>): ReadonlySet<string> {
  const candidates = new Set<string>();
  for (const [path, { reports }] of live) {
    if (reports.some((report) => report.packages.some((fact) => !OS_TYPES.has(fact.type))))
      candidates.add(canonical(path));
  }
  const owned = new Set<string>();
  if (candidates.size === 0) return owned;
  layers.forEach((layer, index) => {
    const list = readPathList(layer.owned);
    for (let head = list.next(); !head.done; head = list.next()) {
      const counts = live.get(head.value)?.layer === index;
      const length = Number(list.next().value);
      for (let i = 0; i < length; i++) {
        const path = canonical(String(list.next().value));
        if (counts && candidates.has(path)) owned.add(path);
      }
    }
  });
  return owned;
}

/** Package lists name files by either side of the /usr merge. */
function canonical(path: string): string {
  return path.replace(MERGED_USR, "");
}

function osOf(live: ReadonlyMap<string, Live>): OperatingSystem | null {
  const told = [...live].flatMap(([path, { reports }]) =>
    reports.flatMap(({ os }) => (os === undefined ? [] : [{ path, os }])),
  );
  return chooseOs(told) ?? null;
}
