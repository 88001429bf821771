import type { Analyzer, ContentScanner, ContentSink, FileFacts, LayerEntry, RemoteScanner } from "@bulwark/model";
import { analyzerTools } from "./analyzer-tools.ts";
import { collectContent, decideByHead, sniffElf } from "./collect-content.ts";
import { addContent, addFacts, addProblem, type ContentWork, defer, type LayerState } from "./layer-state.ts";
import { inPieces, PIECE_BYTES, type Piece, piecesOf } from "./pieces.ts";
import type { RemoteQueue } from "./remote-queue.ts";
import { scanWith } from "./scan-with.ts";
import { type ScannerSet, scannersFor } from "./scanner-set.ts";
import { LARGE_FILE_BYTES, type ScratchPool } from "./scratch.ts";

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
const MIN_PROGRAM_BYTES = 64;
/** Largest file that a scanner which cannot do with pieces gets whole. */
const WHOLE_BYTES = 64 * 1024 * 1024;
const NOBODY = { local: [], remote: [] };

/** What reading a file of a layer needs. */
export interface Reading {
  readonly state: LayerState;
  readonly set: ScannerSet;
  readonly pool: ScratchPool;
  readonly remote: RemoteQueue;
}

/** Who is to read one file. */
interface Readers {
  readonly entry: LayerEntry;
  /** Names under which analyzers read it. */
  readonly names: readonly string[];
  readonly analyzers: readonly Analyzer[];
  readonly local: readonly ContentScanner[];
  readonly remote: readonly RemoteScanner[];
}

/**
 * A sink that gives the entry's content to the analyzers under each of `names`, and to the content scanners as `scan` says.
 * A file for which there is no room now comes again in the second pass.
 */
export function sinkFor(
  entry: LayerEntry,
  names: readonly string[],
  scan: ContentWork,
  reading: Reading,
): ContentSink | undefined {
  const { set, state } = reading;
  const { path, mode, size: sizeBytes } = entry;
  const wanting = scan === "none" ? NOBODY : scannersFor(set, { path, mode, sizeBytes });
  const scanners = scan === "remote" ? { ...wanting, local: [] } : wanting;
  const isScanned = scanners.local.length + scanners.remote.length > 0;
  const named = names.length === 0 ? [] : set.wantedBy(names[0] ?? path);
  const readers: Readers = { entry, names, ...scanners, analyzers: withinBound(named, entry, state) };
  const mayBeProgram = named.length === 0 && names.length > 0 && sizeBytes >= MIN_PROGRAM_BYTES;
  if (isScanned) {
    const programs = mayBeProgram ? set.executable : [];
    if (sizeBytes <= PIECE_BYTES) return collect(readers, sizeBytes, reading, programs);
    return decideByHead((head) => largeSink(readers, head, programs, reading));
  }
  if (readers.analyzers.length > 0) return collect(readers, sizeBytes, reading, []);
  if (!mayBeProgram || set.executable.length === 0) return undefined;
  return sniffElf(() => {
    const analyzers = withinBound(set.executable, entry, state);
    return analyzers.length === 0 ? undefined : collect({ ...readers, analyzers }, sizeBytes, reading, []);
  });
}

/** Large files are read whole where an analyzer or a scanner needs that, and in pieces otherwise. */
function largeSink(
  readers: Readers,
  head: Uint8Array,
  programs: readonly Analyzer[],
  reading: Reading,
): ContentSink | undefined {
  const { entry, local } = readers;
  const analyzers = isElf(head) ? withinBound(programs, entry, reading.state) : readers.analyzers;
  if (analyzers.length > 0) return collect({ ...readers, analyzers }, entry.size, reading, []);
  const isWhole = local.some((scanner) => scanner.wantsWhole?.(head) === true);
  if (isWhole && entry.size <= WHOLE_BYTES) return collect(readers, entry.size, reading, []);
  const scratch = reading.pool.tryTake(PIECE_BYTES);
  if (scratch === undefined) {
    putOff(readers, reading);
    return undefined;
  }
  return inPieces(entry.size, scratch, isDigested(readers), (piece) => scanPiece(readers, piece, reading));
}

function collect(
  readers: Readers,
  keepBytes: number,
  reading: Reading,
  programs: readonly Analyzer[],
): ContentSink | undefined {
  const { entry, names } = readers;
  const scratch = reading.pool.tryTake(keepBytes);
  if (scratch === undefined) {
    putOff(readers, reading);
    return undefined;
  }
  return collectContent(entry.size, scratch, (bytes) => {
    const analyzers =
      isElf(bytes) && programs.length > 0 ? withinBound(programs, entry, reading.state) : readers.analyzers;
    for (const analyzer of analyzers) {
      for (const name of names) runAnalyzer(analyzer, name, bytes, entry.mode, reading.state);
    }
    if (readers.local.length + readers.remote.length > 0) {
      for (const piece of piecesOf(bytes, isDigested(readers))) scanPiece(readers, piece, reading);
    }
  });
}

/** There is no room now: the file comes again. */
function putOff({ entry, names, local, remote }: Readers, { state }: Reading): void {
  for (const name of names) defer(state, entry.path, { name, large: true });
  if (local.length + remote.length > 0)
    defer(state, entry.path, { scan: local.length > 0 ? "all" : "remote", large: true });
}

function isDigested({ entry, local }: Readers): boolean {
  return local.some((scanner) => scanner.wantsDigest?.(entry.size) === true);
}

function isElf(bytes: Uint8Array): boolean {
  const [a, b, c, d] = bytes;
  return bytes.length >= MIN_PROGRAM_BYTES && a === 0x7f && b === 0x45 && c === 0x4c && d === 0x46;
}

function limitOf({ maxBytes = DEFAULT_MAX_BYTES }: Analyzer): number {
  return Math.min(maxBytes, LARGE_FILE_BYTES);
}

/** The analyzers that read files of this size; the others are told in one problem. */
function withinBound(wanted: readonly Analyzer[], entry: LayerEntry, state: LayerState): readonly Analyzer[] {
  const refusing = wanted.filter((analyzer) => entry.size > limitOf(analyzer));
  if (refusing.length === 0) return wanted;
  const names = refusing.map(({ id }) => id).join(", ");
  const limit = Math.max(...refusing.map(limitOf));
  addProblem(state, entry.path, `not read by ${names}: ${entry.size} bytes are over the limit of ${limit}`);
  return wanted.filter((analyzer) => !refusing.includes(analyzer));
}

function runAnalyzer(analyzer: Analyzer, path: string, bytes: Uint8Array, mode: number, state: LayerState): void {
  let facts: FileFacts;
  try {
    facts = analyzer.read({ path, bytes, mode }, analyzerTools);
  } catch (cause) {
    facts = { problems: [`${analyzer.id} could not read it: ${reasonOf(cause)}`] };
  }
  addFacts(state, path, analyzer.id, facts);
}

function scanPiece({ entry, local, remote }: Readers, piece: Piece, reading: Reading): void {
  const { path, mode, size: sizeBytes } = entry;
  const { offset, head, whole, digest, sha256 } = piece;
  for (const scanner of local) {
    const isWhole = whole !== undefined && scanner.wantsWhole?.(head) === true;
    if (isWhole && offset > 0) continue;
    const bytes = isWhole ? whole : piece.bytes;
    if (offset >= scanner.maxBytes) continue;
    const { facts, problems } = scanWith(
      scanner,
      { path, mode, sizeBytes, offset, head, sha256: isWhole ? digest : sha256, bytes },
      piece.linesBefore,
    );
    addContent(reading.state, path, scanner.id, facts, problems);
  }
  if (remote.length > 0 && offset === 0) submit(remote, entry, piece, reading);
}

/** Other processes get the beginning of a file: as much as is at hand, and as they take. */
function submit(remote: readonly RemoteScanner[], entry: LayerEntry, piece: Piece, reading: Reading): void {
  const { path, mode, size: sizeBytes } = entry;
  const { offset, head, sha256 } = piece;
  const bytes = piece.whole ?? piece.bytes;
  if (!reading.remote.tryAdd(remote, { path, mode, sizeBytes, offset, head, sha256, bytes })) {
    defer(reading.state, path, { scan: "remote" });
    return;
  }
  for (const { id, maxBytes } of remote) {
    const read = Math.min(maxBytes, bytes.length);
    if (read < sizeBytes) addProblem(reading.state, path, `${id} read the first ${read} of its ${sizeBytes} bytes`);
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
