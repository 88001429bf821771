import type { ContentSink, EntryVisitor, LayerEntry, LayerReport } from "@bulwark/model";
import { toBoth } from "./collect-content.ts";
import { addContent, addNotable, addProblem, defer, newState, reportOf } from "./layer-state.ts";
import { isGenerated, isOsPath } from "./os-path.ts";
import { type Reading, sinkFor } from "./read-file.ts";
import { remoteQueue } from "./remote-queue.ts";
import { type ScannerSet, scannersFor } from "./scanner-set.ts";
import type { ScratchPool } from "./scratch.ts";

/** A way through the layer's entries: called once, and a second time when files have to be read again. */
export type LayerPass = (
  visit: EntryVisitor,
  options: {
    readonly onProblem: (path: string, what: string) => void;
    readonly settle: () => Promise<void> | undefined;
    /** True from the second time on. */
    readonly again: boolean;
  },
) => Promise<{ readonly diffId: string; readonly entries: number; readonly bytes: number }>;

/**
 * Reads everything a layer tells by itself. Files are analysed while the layer streams by. A second pass reads hard links
 * whose target was not kept, large files that came while another layer held the large buffer, and, for content scanners,
 * files in places of the operating system that no package of the layer vouches for by digest: package databases mostly come
 * after the files they speak of.
 *
 * @throws what the pass throws: a layer that is torn, too large or not what its digest says
 */
export async function analyzeLayer(pass: LayerPass, set: ScannerSet, pool: ScratchPool): Promise<LayerReport> {
  const state = newState();
  const remote = remoteQueue((path, scanner, { facts = [], problems = [] }) =>
    addContent(state, path, scanner, facts, problems),
  );
  const reading: Reading = { state, set, pool, remote };
  /** Files whose content scanners wait for what packages say. */
  const postponed = new Set<string>();
  try {
    const summary = await pass((entry) => visitEntry(entry, reading, postponed), {
      onProblem: (path, what) => addProblem(state, path, what),
      settle: remote.settle,
      again: false,
    });
    const recorded = state.recorded;
    const list = recorded.finish();
    for (const path of state.vouching.verify(list)) if (postponed.has(path)) defer(state, path, { scan: "all" });
    await remote.drain();
    if (state.deferred.size > 0) await readDeferred(pass, reading);
    return { ...reportOf(state, summary), recorded: list };
  } finally {
    await remote.drain();
    pool.abandon();
  }
}

function visitEntry(entry: LayerEntry, reading: Reading, postponed: Set<string>): ContentSink | undefined {
  const { state, set } = reading;
  const { path, kind } = entry;
  if (kind === "directory") return undefined;
  if (kind === "whiteout") {
    state.whiteouts.push(path);
    return undefined;
  }
  if (kind === "opaque") {
    state.opaque.push(path);
    return undefined;
  }
  state.paths.add(path);
  if (set.isNotable?.(entry) === true) addNotable(state, entry);
  const isVouched = set.scanners.length + set.remote.length > 0 && isOsPath(path);
  if (kind === "hardlink") {
    if (set.wantedBy(path).length > 0) defer(state, entry.linkTarget, { name: path });
    if (isVouched) state.vouching.addName(path, entry.linkTarget);
  }
  if (kind === "symlink" && isVouched) state.vouching.addLink(path, entry.linkTarget);
  if (kind !== "file" || entry.size === 0) return undefined;
  const digests = isVouched ? state.vouching.sinkFor(path, entry.size) : undefined;
  const waits = digests !== undefined && set.trustPackages && !isGenerated(path);
  if (waits && wantsContent(set, entry)) postponed.add(path);
  return toBoth(sinkFor(entry, [path], waits ? "none" : "all", reading), digests);
}

function wantsContent(set: ScannerSet, { path, mode, size }: LayerEntry): boolean {
  const { local, remote } = scannersFor(set, { path, mode, sizeBytes: size });
  return local.length + remote.length > 0;
}

/**
 * Reads what is deferred, and nothing else, until scanners of other processes had room for all of it. The large buffer is
 * taken only for files that need it: as long as it is held, the large files of other layers have to come again too.
 */
async function readDeferred(pass: LayerPass, reading: Reading): Promise<void> {
  const { state, remote } = reading;
  let pool = reading.pool;
  while (state.deferred.size > 0) {
    const pending = new Map(state.deferred);
    state.deferred.clear();
    if (pool === reading.pool && [...pending.values()].some(({ large }) => large)) pool = await largePool(reading.pool);
    await pass(
      (entry) => {
        const wanted = pending.get(entry.path);
        if (wanted === undefined || entry.kind !== "file") return undefined;
        pending.delete(entry.path);
        return entry.size === 0 ? undefined : sinkFor(entry, wanted.names, wanted.scan, { ...reading, pool });
      },
      { onProblem: () => {}, settle: remote.settle, again: true }, // the first pass has told the layer's problems
    );
    await remote.drain();
  }
}

/** A pool that lends the large buffer for each file; it is given back when the layer is done. */
async function largePool(pool: ScratchPool): Promise<ScratchPool> {
  const { buffer } = await pool.takeLarge();
  return { ...pool, tryTake: () => ({ buffer, release: () => {} }) };
}
