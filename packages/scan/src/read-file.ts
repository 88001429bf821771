import { hash } from "node:crypto";
import type {
  Analyzer,
  ContentFacts,
  ContentFile,
  ContentScanner,
  ContentSink,
  FileFacts,
  LayerEntry,
  RemoteScanner,
} from "@bulwark/model";
import { analyzerTools } from "./analyzer-tools.ts";
import { collectContent, sniffElf } from "./collect-content.ts";
import { addContent, addFacts, addProblem, type ContentWork, defer, type LayerState } from "./layer-state.ts";
import type { RemoteQueue } from "./remote-queue.ts";
import { type ScannerSet, scannersFor } from "./scanner-set.ts";
import { LARGE_FILE_BYTES, type ScratchPool } from "./scratch.ts";

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
const MIN_EXECUTABLE_BYTES = 64;
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
  const named = names.length === 0 ? [] : set.wantedBy(names[0] ?? path);
  const isScanned = scanners.local.length + scanners.remote.length > 0;
  const readers = { entry, names, ...scanners, analyzers: withinBound(named, entry, state) };
  if (isScanned && readers.analyzers.length === 0 && named.length === 0 && names.length > 0) {
    // ELF analyzers are asked after the fact: the content is collected anyway.
    return collect(readers, reading, (bytes) => (isElf(bytes) ? withinBound(set.executable, entry, state) : []));
  }
  if (isScanned || readers.analyzers.length > 0) return collect(readers, reading, () => readers.analyzers);
  if (named.length > 0 || names.length === 0) return undefined;
  if (sizeBytes < MIN_EXECUTABLE_BYTES || set.executable.length === 0) return undefined;
  return sniffElf(() => {
    const analyzers = withinBound(set.executable, entry, state);
    return analyzers.length === 0 ? undefined : collect({ ...readers, analyzers }, reading, () => analyzers);
  });
}

function isElf(bytes: Uint8Array): boolean {
  return (
    bytes.length >= MIN_EXECUTABLE_BYTES &&
    bytes[0] === 0x7f &&
    bytes[1] === 0x45 &&
    bytes[2] === 0x4c &&
    bytes[3] === 0x46
  );
}

function collect(
  readers: Readers,
  reading: Reading,
  analyzersOf: (bytes: Uint8Array) => readonly Analyzer[],
): ContentSink | undefined {
  const { entry, names } = readers;
  const keepBytes = Math.min(entry.size, bytesWanted(readers, reading.set));
  const scratch = reading.pool.tryTake(keepBytes);
  if (scratch === undefined) {
    for (const name of names) defer(reading.state, entry.path, { name });
    if (readers.local.length + readers.remote.length > 0)
      defer(reading.state, entry.path, { scan: readers.local.length > 0 ? "all" : "remote" });
    return undefined;
  }
  return collectContent(entry.size, keepBytes, scratch, (bytes) => {
    for (const analyzer of analyzersOf(bytes)) {
      for (const name of names) runAnalyzer(analyzer, name, bytes, entry.mode, reading.state);
    }
    scanContent(readers, bytes, reading);
  });
}

/** How much of the file its most demanding reader wants. */
function bytesWanted({ analyzers, local, remote, names, entry }: Readers, set: ScannerSet): number {
  const limits = [...local, ...remote].map(({ maxBytes }) => maxBytes);
  const byContent = names.length > 0 && analyzers.length === 0 ? set.executable : analyzers;
  const largest = byContent.map(limitOf).filter((limit) => entry.size <= limit);
  return Math.min(LARGE_FILE_BYTES, Math.max(0, ...limits, ...(largest.length > 0 ? [entry.size] : [])));
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

function scanContent({ entry, local, remote }: Readers, bytes: Uint8Array, reading: Reading): void {
  if (local.length + remote.length === 0) return;
  const { path, mode, size: sizeBytes } = entry;
  const file = { path, mode, sizeBytes, sha256: bytes.length === sizeBytes ? hash("sha256", bytes) : undefined };
  for (const scanner of local) {
    const part = bytes.length > scanner.maxBytes ? bytes.subarray(0, scanner.maxBytes) : bytes;
    runScanner(scanner, { ...file, bytes: part }, reading.state);
  }
  if (remote.length > 0 && !reading.remote.tryAdd(remote, { ...file, bytes }))
    defer(reading.state, path, { scan: "remote" });
}

function runScanner(scanner: ContentScanner, file: ContentFile, state: LayerState): void {
  let found: ContentFacts;
  try {
    found = scanner.scan(file);
  } catch (cause) {
    found = { problems: [`${scanner.id} could not read it: ${reasonOf(cause)}`] };
  }
  const problems = [...(found.problems ?? [])];
  if (file.bytes.length < file.sizeBytes)
    problems.push(`${scanner.id} read the first ${file.bytes.length} of its ${file.sizeBytes} bytes`);
  addContent(state, file.path, scanner.id, found.facts ?? [], problems);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
