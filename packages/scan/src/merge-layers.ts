import { chooseOs } from "@bulwark/ecosystems";
import type { ContentFact, FileReport, LayerReport, OperatingSystem, PackageFact, Problem } from "@bulwark/model";
import { canonicalPath } from "./os-path.ts";
import { layOver } from "./overlay.ts";
import { readPathList } from "./path-list.ts";

/** OS package managers report what they installed; everything else may be owned by one of them. */
const OS_TYPES: ReadonlySet<string> = new Set(["deb", "apk", "rpm"]);

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
  /** What content scanners found, in files that are there and in those that later layers hide. */
  readonly content: readonly MergedContent[];
  /** Files that are there and matter to checks of the image. */
  readonly files: readonly MergedFile[];
  /** Layer → bytes of its large files that later layers hide. */
  readonly hiddenBytes: ReadonlyMap<number, number>;
  readonly problems: readonly Problem[];
}

/** A file that matters by being there. */
interface MergedFile {
  readonly path: string;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly layer: number;
  /** An OS package put it there. */
  readonly owned: boolean;
}

/** Something that a content scanner found, in its place. */
export interface MergedContent {
  readonly fact: ContentFact;
  readonly scanner: string;
  readonly path: string;
  readonly layer: number;
  /** Index of the layer that removes or replaces the file. */
  readonly removedIn?: number;
}

/** The state of one path while the layers are laid on each other. */
interface Live {
  readonly layer: number;
  readonly reports: readonly FileReport[];
  /** Which layer brought each package of the file: a package database is rewritten whole by every layer that touches it. */
  readonly broughtBy: ReadonlyMap<string, number>;
}

/** What some layers amount to so far, in a form that another layer can be laid on. */
export interface MergeState {
  readonly layers: readonly LayerReport[];
  readonly live: ReadonlyMap<string, Live>;
  readonly hidden: readonly MergedContent[];
  readonly hiddenBytes: ReadonlyMap<number, number>;
}

const NOTHING: MergeState = { layers: [], live: new Map(), hidden: [], hiddenBytes: new Map() };

/**
 * Lays a layer on others: whiteouts, opaque directories and replaced files hide what lower layers told; a package that a
 * rewritten database still lists keeps the layer that brought it. (OCI image specification, "Representing Changes" and
 * "Whiteouts".)
 *
 * @param below left as it is; undefined for the lowest layer
 */
export function layOn(below: MergeState | undefined, layer: LayerReport): MergeState {
  const from = below ?? NOTHING;
  return lay(
    { ...from, live: new Map(from.live), hidden: [...from.hidden], hiddenBytes: new Map(from.hiddenBytes) },
    layer,
  );
}

interface Growing extends MergeState {
  readonly live: Map<string, Live>;
  readonly hidden: MergedContent[];
  readonly hiddenBytes: Map<number, number>;
}

function lay(state: Growing, layer: LayerReport): Growing {
  const { live, hidden, hiddenBytes } = state;
  const index = state.layers.length;
  const replaced = layOver(live, layer, (path, gone) => {
    keepHidden(hidden, path, gone, index);
    const bytes = gone.reports.find(({ notable }) => notable !== undefined)?.notable?.sizeBytes ?? 0;
    if (bytes > 0) hiddenBytes.set(gone.layer, (hiddenBytes.get(gone.layer) ?? 0) + bytes);
  });
  addFiles(live, layer, index, replaced);
  return { ...state, layers: [...state.layers, layer] };
}

/** Lays all layers on each other, lowest first. */
export function mergeLayers(layers: readonly LayerReport[]): MergedImage {
  const start: Growing = { layers: [], live: new Map(), hidden: [], hiddenBytes: new Map() };
  return mergedImage(layers.reduce(lay, start));
}

/**
 * What the layers laid on each other amount to. What an OS package owns is reported by that package alone, unless a later
 * layer put another version in its place.
 */
export function mergedImage({ layers, live, hidden, hiddenBytes }: MergeState): MergedImage {
  const problems: Problem[] = layers.flatMap((layer, index) =>
    layer.problems.map(({ path, what }) => ({ path, layer: index, what })),
  );
  const owned = ownedPaths(layers, live);
  const packages: MergedPackage[] = [];
  const content = [...hidden];
  const files: MergedFile[] = [];
  for (const [path, state] of live) {
    const owner = owned.get(canonicalPath(path));
    // What came after the owner's list took the place of the owner's file.
    const isOwned = owner !== undefined && state.layer <= owner;
    for (const report of state.reports) {
      for (const what of report.problems) problems.push({ path, layer: state.layer, what });
      for (const fact of report.packages) {
        const broughtBy = state.broughtBy.get(identityOf(fact)) ?? state.layer;
        const isOther = OS_TYPES.has(fact.type) || owner === undefined || broughtBy > owner;
        if (isOther) packages.push({ fact, path, layer: broughtBy });
      }
      if (report.notable !== undefined) files.push({ path, ...report.notable, layer: state.layer, owned: isOwned });
      for (const fact of report.content ?? []) {
        if (fact.unlessOwned === true && isOwned) continue;
        content.push({ fact, scanner: report.analyzer, path, layer: state.layer });
      }
    }
  }
  return { os: osOf(live), packages, content: firstSeen(content), files, hiddenBytes, problems };
}

/** A file that a later layer hides is gone for who runs the image, not for who reads its layers. */
function keepHidden(hidden: MergedContent[], path: string, state: Live, removedIn: number): void {
  for (const { content = [], analyzer } of state.reports) {
    for (const fact of content) {
      // Settings that are gone harm nobody; owned files cannot be told any more.
      if (fact.kind === "misconfiguration" || fact.unlessOwned === true) continue;
      hidden.push({ fact, scanner: analyzer, path, layer: state.layer, removedIn });
    }
  }
}

/** A layer that only touches a file brings its content along: one thing found again stays with the layer that brought it. */
function firstSeen(content: readonly MergedContent[]): readonly MergedContent[] {
  const first = new Map<string, MergedContent>();
  for (const each of content) {
    const { id, fingerprint = "", detail = "" } = each.fact;
    const key = [each.path, id, fingerprint === "" ? detail : fingerprint, each.fact.line ?? 0].join("\0");
    const known = first.get(key);
    if (known === undefined) first.set(key, each);
    else first.set(key, joined(known, each));
  }
  return [...first.values()];
}

/** The lower layer of two, and the later of the two removals, if both are removed. */
function joined(a: MergedContent, b: MergedContent): MergedContent {
  const { fact, scanner, path } = a;
  const layer = Math.min(a.layer, b.layer);
  const removed = [a.removedIn, b.removedIn].filter((index) => index !== undefined);
  return { fact, scanner, path, layer, ...(removed.length === 2 ? { removedIn: Math.max(...removed) } : {}) };
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

/** Whether it matters who owns the file. */
function mayBeOwned({ packages, notable, content = [] }: FileReport): boolean {
  if (notable !== undefined) return true;
  return packages.some(({ type }) => !OS_TYPES.has(type)) || content.some(({ unlessOwned }) => unlessOwned === true);
}

/** Paths that OS packages own, as far as the file that says so is still there → layer of that file. */
function ownedPaths(layers: readonly LayerReport[], live: ReadonlyMap<string, Live>): ReadonlyMap<string, number> {
  const candidates = new Set<string>();
  for (const [path, { reports }] of live) {
    if (reports.some(mayBeOwned)) candidates.add(canonicalPath(path));
  }
  const owned = new Map<string, number>();
  if (candidates.size === 0) return owned;
  layers.forEach((layer, index) => {
    const list = readPathList(layer.owned);
    for (let head = list.next(); !head.done; head = list.next()) {
      const counts = live.get(head.value)?.layer === index;
      const length = Number(list.next().value);
      for (let i = 0; i < length; i++) {
        const path = canonicalPath(String(list.next().value));
        if (counts && candidates.has(path)) owned.set(path, index);
      }
    }
  });
  return owned;
}

function osOf(live: ReadonlyMap<string, Live>): OperatingSystem | null {
  const told = [...live].flatMap(([path, { reports }]) =>
    reports.flatMap(({ os }) => (os === undefined ? [] : [{ path, os }])),
  );
  return chooseOs(told) ?? null;
}
