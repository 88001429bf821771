import type { ContentFact, FileFacts, FileReport, LayerEntry, LayerReport } from "@bulwark/model";
import { type PathListWriter, pathListWriter } from "./path-list.ts";
import { type Vouching, vouching } from "./vouching.ts";

/** A layer that holds more broken files than this is described well enough by the first of them. */
const MAX_PROBLEMS = 1_000;
/** A layer in which more is wrong than this is described well enough too. */
const MAX_CONTENT_FACTS = 20_000;
/** Files of interest to checks of the image; an image with more has left a cache behind, which the first of them tell. */
const MAX_NOTABLE = 20_000;
/** Files that are read a second time; each costs a place in memory until then. */
const MAX_DEFERRED = 200_000;

/** Which content scanners are to read a file: none, those of other processes alone, or all. */
export type ContentWork = "none" | "remote" | "all";

/** Why a file is read a second time. */
interface Deferred {
  /** Names under which analyzers want it: its own and those of hard links to it. */
  readonly names: string[];
  scan: ContentWork;
  /** It did not find room before. */
  large: boolean;
}

/** What has become known of a layer while it streams by. */
export interface LayerState {
  readonly files: FileReport[];
  readonly whiteouts: string[];
  readonly opaque: string[];
  readonly problems: { readonly path: string; readonly what: string }[];
  omittedProblems: number;
  facts: number;
  notable: number;
  readonly paths: PathListWriter;
  readonly owned: PathListWriter;
  readonly recorded: PathListWriter;
  readonly deferred: Map<string, Deferred>;
  readonly vouching: Vouching;
}

export function newState(): LayerState {
  return {
    files: [],
    whiteouts: [],
    opaque: [],
    problems: [],
    omittedProblems: 0,
    facts: 0,
    notable: 0,
    paths: pathListWriter(),
    owned: pathListWriter(),
    recorded: pathListWriter(),
    deferred: new Map(),
    vouching: vouching(),
  };
}

export function addProblem(state: LayerState, path: string, what: string): void {
  if (state.problems.length < MAX_PROBLEMS) state.problems.push({ path, what });
  else state.omittedProblems++;
}

/** Keeps what an analyzer told of a file; nothing at all leaves no trace. */
export function addFacts(state: LayerState, path: string, analyzer: string, facts: FileFacts): void {
  const { packages = [], owns = [], recorded = [], problems = [] } = facts;
  if (packages.length + problems.length > 0 || facts.os !== undefined || owns.length + recorded.length > 0) {
    const os = facts.os === undefined ? {} : { os: facts.os };
    state.files.push({ path, analyzer, packages, problems, ...os });
  }
  if (owns.length > 0) {
    for (const entry of [path, String(owns.length)]) state.owned.add(entry);
    for (const owned of owns) state.owned.add(owned);
  }
  if (recorded.length > 0) {
    for (const entry of [path, String(recorded.length)]) state.recorded.add(entry);
    for (const record of recorded) {
      state.recorded.add(record.path);
      state.recorded.add(record.digest);
    }
  }
}

/** Keeps what a content scanner found in a file. */
export function addContent(
  state: LayerState,
  path: string,
  scanner: string,
  content: readonly ContentFact[],
  problems: readonly string[],
): void {
  if (content.length + problems.length === 0) return;
  if (state.facts > MAX_CONTENT_FACTS) return;
  state.facts += content.length;
  if (state.facts > MAX_CONTENT_FACTS) {
    addProblem(state, path, `the layer has more than ${MAX_CONTENT_FACTS} findings: further ones are not listed`);
  }
  state.files.push({ path, analyzer: scanner, packages: [], problems, content });
}

/** Keeps that a file is there. */
export function addNotable(state: LayerState, { path, mode, size }: LayerEntry): void {
  if (state.notable++ >= MAX_NOTABLE) return;
  state.files.push({ path, analyzer: "notable", packages: [], problems: [], notable: { mode, sizeBytes: size } });
}

/** Has a file read again, for the analyzers that want `name` or for content scanners. */
export function defer(
  state: LayerState,
  path: string,
  wanted: { readonly name?: string; readonly scan?: ContentWork; readonly large?: boolean },
): void {
  const { name, scan = "none", large = false } = wanted;
  const known = state.deferred.get(path);
  if (known === undefined && state.deferred.size >= MAX_DEFERRED) {
    addProblem(state, name ?? path, `not read: more than ${MAX_DEFERRED} files of the layer would be read again`);
    return;
  }
  const entry: Deferred = known ?? { names: [], scan: "none", large: false };
  if (known === undefined) state.deferred.set(path, entry);
  if (name !== undefined && !entry.names.includes(name)) entry.names.push(name);
  entry.large ||= large;
  if (scan === "all" || entry.scan === "none") entry.scan = scan;
}

/** Ends the reading: the report of the layer. */
export function reportOf(
  state: LayerState,
  summary: { readonly diffId: string; readonly entries: number; readonly bytes: number },
): LayerReport {
  if (state.omittedProblems > 0) state.problems.push({ path: "", what: `and ${state.omittedProblems} more problems` });
  return {
    diffId: summary.diffId,
    files: state.files,
    whiteouts: state.whiteouts,
    opaque: state.opaque,
    problems: state.problems,
    entries: summary.entries,
    bytes: summary.bytes,
    paths: state.paths.finish(),
    owned: state.owned.finish(),
    recorded: state.recorded.finish(),
    digests: state.vouching.unverified(),
  };
}
