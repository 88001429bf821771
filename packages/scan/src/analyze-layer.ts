import type {
  Analyzer,
  ContentSink,
  EntryVisitor,
  FileFacts,
  FileReport,
  LayerEntry,
  LayerReport,
} from "@bulwark/model";
import { analyzerTools } from "./analyzer-tools.ts";
import { collectContent, sniffElf } from "./collect-content.ts";
import { pathListWriter } from "./path-list.ts";
import { LARGE_FILE_BYTES, type ScratchPool } from "./scratch.ts";

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
const MIN_EXECUTABLE_BYTES = 64;
/** A layer that holds more broken files than this is described well enough by the first of them. */
const MAX_PROBLEMS = 1_000;
/** Hard links to wanted names that are followed; each costs a place in memory until the second pass. */
const MAX_DEFERRED = 100_000;

/** Which analyzers want a path, and those that want ELF files whatever their path. */
export interface AnalyzerSet {
  readonly wantedBy: (path: string) => readonly Analyzer[];
  readonly executable: readonly Analyzer[];
}

/** A way through the layer's entries: called once, and a second time when files have to be read again. */
export type LayerPass = (
  visit: EntryVisitor,
  onProblem: (path: string, what: string) => void,
) => Promise<{ readonly diffId: string; readonly entries: number; readonly bytes: number }>;

/**
 * Reads everything a layer tells by itself. Files are analysed while the layer streams by; hard links whose target was
 * not kept, and large files that came while another layer held the large buffer, are read in a second pass.
 *
 * @throws what the pass throws: a layer that is torn, too large or not what its digest says
 */
export async function analyzeLayer(pass: LayerPass, analyzers: AnalyzerSet, pool: ScratchPool): Promise<LayerReport> {
  const state = newState();
  try {
    const summary = await pass(
      (entry) => visitEntry(entry, state, analyzers, pool),
      (path, what) => addProblem(state, path, what),
    );
    if (state.deferred.size > 0) await readDeferred(pass, state, analyzers, pool);
    return reportOf(state, summary);
  } finally {
    pool.abandon();
  }
}

function reportOf(state: State, summary: Awaited<ReturnType<LayerPass>>): LayerReport {
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
  };
}

interface State {
  readonly files: FileReport[];
  readonly whiteouts: string[];
  readonly opaque: string[];
  readonly problems: { readonly path: string; readonly what: string }[];
  omittedProblems: number;
  readonly paths: ReturnType<typeof pathListWriter>;
  readonly owned: ReturnType<typeof pathListWriter>;
  /** Path whose content has to be read again → names under which it is analysed. */
  readonly deferred: Map<string, string[]>;
}

function newState(): State {
  return {
    files: [],
    whiteouts: [],
    opaque: [],
    problems: [],
    omittedProblems: 0,
    paths: pathListWriter(),
    owned: pathListWriter(),
    deferred: new Map(),
  };
}

function visitEntry(
  entry: LayerEntry,
  state: State,
  analyzers: AnalyzerSet,
  pool: ScratchPool,
): ContentSink | undefined {
  if (entry.kind === "directory") return undefined;
  if (entry.kind === "whiteout") {
    state.whiteouts.push(entry.path);
    return undefined;
  }
  if (entry.kind === "opaque") {
    state.opaque.push(entry.path);
    return undefined;
  }
  state.paths.add(entry.path);
  if (entry.kind === "hardlink" && analyzers.wantedBy(entry.path).length > 0)
    defer(state, entry.linkTarget, entry.path);
  if (entry.kind !== "file" || entry.size === 0) return undefined;
  return sinkFor(entry, [entry.path], state, analyzers, pool);
}

/** A sink that analyses the entry's content under each of `names`. */
function sinkFor(
  entry: LayerEntry,
  names: readonly string[],
  state: State,
  analyzers: AnalyzerSet,
  pool: ScratchPool,
): ContentSink | undefined {
  const collect = (wanted: readonly Analyzer[]) => {
    const able = withinBound(wanted, entry, state);
    if (able.length === 0) return undefined;
    const scratch = pool.tryTake(entry.size);
    if (scratch === undefined) {
      for (const name of names) defer(state, entry.path, name);
      return undefined;
    }
    return collectContent(entry.size, scratch, (bytes) => {
      for (const name of names) for (const analyzer of able) runAnalyzer(analyzer, name, bytes, entry.mode, state);
    });
  };
  const wanted = analyzers.wantedBy(names[0] ?? entry.path);
  if (wanted.length > 0) return collect(wanted);
  if (entry.size < MIN_EXECUTABLE_BYTES || analyzers.executable.length === 0) return undefined;
  return sniffElf(() => collect(analyzers.executable));
}

/** The analyzers that read files of this size; the others are told in one problem. */
function withinBound(wanted: readonly Analyzer[], entry: LayerEntry, state: State): readonly Analyzer[] {
  const limitOf = ({ maxBytes = DEFAULT_MAX_BYTES }: Analyzer) => Math.min(maxBytes, LARGE_FILE_BYTES);
  const refusing = wanted.filter((analyzer) => entry.size > limitOf(analyzer));
  if (refusing.length > 0) {
    const names = refusing.map(({ id }) => id).join(", ");
    const limit = Math.max(...refusing.map(limitOf));
    addProblem(state, entry.path, `not read by ${names}: ${entry.size} bytes are over the limit of ${limit}`);
  }
  return wanted.filter((analyzer) => !refusing.includes(analyzer));
}

function runAnalyzer(analyzer: Analyzer, path: string, bytes: Uint8Array, mode: number, state: State): void {
  let facts: FileFacts;
  try {
    facts = analyzer.read({ path, bytes, mode }, analyzerTools);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    facts = { problems: [`${analyzer.id} could not read it: ${why}`] };
  }
  const { packages = [], owns = [], problems = [] } = facts;
  if (packages.length + owns.length + problems.length === 0 && facts.os === undefined) return;
  const os = facts.os === undefined ? {} : { os: facts.os };
  state.files.push({ path, analyzer: analyzer.id, packages, problems, ...os });
  if (owns.length === 0) return;
  state.owned.add(path);
  state.owned.add(String(owns.length));
  for (const owned of owns) state.owned.add(owned);
}

function defer(state: State, path: string, name: string): void {
  if (state.deferred.size >= MAX_DEFERRED) {
    addProblem(state, name, `not read: the layer has more than ${MAX_DEFERRED} hard links to files of interest`);
    return;
  }
  const names = state.deferred.get(path);
  if (names === undefined) state.deferred.set(path, [name]);
  else if (!names.includes(name)) names.push(name);
}

async function readDeferred(pass: LayerPass, state: State, analyzers: AnalyzerSet, pool: ScratchPool): Promise<void> {
  const large = await pool.takeLarge();
  const pending = new Map(state.deferred);
  const held: ScratchPool = { ...pool, tryTake: () => ({ buffer: large.buffer, release: () => {} }) };
  await pass(
    (entry) => {
      const names = pending.get(entry.path);
      if (names === undefined || entry.kind !== "file") return undefined;
      pending.delete(entry.path);
      return entry.size === 0 ? undefined : sinkFor(entry, names, state, analyzers, held);
    },
    () => {}, // the first pass has told the layer's problems
  );
}

function addProblem(state: State, path: string, what: string): void {
  if (state.problems.length < MAX_PROBLEMS) state.problems.push({ path, what });
  else state.omittedProblems++;
}
