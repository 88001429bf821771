import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
  statfsSync,
} from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { EntryKind, EntryVisitor, LayerEntry } from "@bulwark/model";
import { EMPTY_CONFIG } from "./config.ts";
import { imageError, reasonOf, throwIfCancelled } from "./errors.ts";
import type { LayerSummary, ReadLayerOptions } from "./layer/read-layer.ts";
import type { OpenedImage } from "./opened-image.ts";
import { defaultPlatform, formatPlatform } from "./platform.ts";
import type { ResolveOptions } from "./resolve.ts";
import { decodeName } from "./tar/name.ts";

/** Each level of the walk holds a descriptor open. */
const MAX_DEPTH = 512;
const READ_BYTES = 1024 * 1024;
/** Entries and bytes after which other work gets its turn. */
const ENTRIES_PER_TURN = 256;
const BYTES_PER_TURN = 8 * 1024 * 1024;

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** File systems that hold no files of the image: proc, sysfs, tmpfs, devpts, cgroup, cgroup2, mqueue, debugfs, tracefs, securityfs, bpf, hugetlbfs, pstore, fusectl, configfs, binfmt_misc, autofs, efivarfs, nsfs, overlay's own are not among them. */
const PSEUDO_FILE_SYSTEMS = new Set([
  0x9fa0, 0x62656572, 0x01021994, 0x1cd1, 0x27e0eb, 0x63677270, 0x19800202, 0x64626720, 0x74726163, 0x73636673,
  0xcafe4a11, 0x958458f6, 0x6165676c, 0x65735543, 0x62656570, 0x42494e4d, 0x0187, 0xde5e81e4, 0x6e736673,
]);

/**
 * Opens a directory as an image of one layer without digests.
 *
 * @throws SOURCE_NOT_FOUND, SOURCE_INVALID
 */
export async function openRootfs(directory: string, options: ResolveOptions): Promise<OpenedImage> {
  closeSync(openRoot(directory));
  const layer = { index: 0, diffId: "", digest: "", size: 0, mediaType: "", createdBy: "", foreign: false };
  return {
    reference: options.reference,
    digest: "",
    rootDigest: "",
    platform: formatPlatform(options.platform ?? defaultPlatform()),
    config: EMPTY_CONFIG,
    annotations: {},
    layers: [layer],
    forgetLayer: async () => {},
    async readLayer(index, visit, readOptions = {}) {
      if (index !== 0) throw new RangeError(`no layer ${index} in a root file system`);
      return walkRoot(directory, visit, readOptions, options);
    },
    async close() {},
  };
}

function openRoot(directory: string): number {
  try {
    return openSync(directory, O_RDONLY | O_DIRECTORY);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw imageError(
      missing ? "SOURCE_NOT_FOUND" : "SOURCE_INVALID",
      `${directory} cannot be read as a root file system: ${reasonOf(error)}`,
      "give the path of a directory that you may read",
      error,
    );
  }
}

interface Walk {
  readonly visit: EntryVisitor;
  readonly options: ReadLayerOptions;
  readonly limits: ResolveOptions["limits"];
  readonly device: number;
  readonly buffer: Buffer;
  entries: number;
  bytes: number;
  /** Where the next turn is due. */
  entriesDue: number;
  bytesDue: number;
}

async function walkRoot(
  directory: string,
  visit: EntryVisitor,
  options: ReadLayerOptions,
  resolve: ResolveOptions,
): Promise<LayerSummary> {
  const root = openRoot(directory);
  try {
    const device = fstatSync(root).dev;
    const walk: Walk = {
      visit,
      options,
      limits: resolve.limits,
      device,
      buffer: Buffer.allocUnsafe(READ_BYTES),
      entries: 0,
      bytes: 0,
      entriesDue: ENTRIES_PER_TURN,
      bytesDue: BYTES_PER_TURN,
    };
    await walkDirectory(walk, root, "", 0);
    return { diffId: "", entries: walk.entries, bytes: walk.bytes };
  } finally {
    closeSync(root);
  }
}

/** A name within an open directory: the kernel resolves it from the descriptor, so no link above it matters. */
function within(directory: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name]);
}

async function walkDirectory(walk: Walk, directory: number, path: string, depth: number): Promise<void> {
  let names: Buffer[];
  try {
    names = readdirSync(`/proc/self/fd/${directory}`, { encoding: "buffer" }).sort(Buffer.compare);
  } catch (error) {
    walk.options.onProblem?.(path, `directory cannot be read: ${reasonCode(error)}`);
    return;
  }
  for (const name of names) {
    await takeTurn(walk);
    const child = path === "" ? decodeName(name, 0, name.length) : `${path}/${decodeName(name, 0, name.length)}`;
    let stat: Stats;
    try {
      stat = lstatSync(within(directory, name));
    } catch (error) {
      // Gone between listing and looking: a running system changes.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT")
        walk.options.onProblem?.(child, `cannot be looked at: ${reasonCode(error)}`);
      continue;
    }
    await takeChild(walk, directory, name, child, stat, depth);
  }
}

async function takeTurn(walk: Walk): Promise<void> {
  if (walk.entries < walk.entriesDue && walk.bytes < walk.bytesDue) return;
  walk.entriesDue = walk.entries + ENTRIES_PER_TURN;
  walk.bytesDue = walk.bytes + BYTES_PER_TURN;
  walk.options.onBytes?.(walk.bytes);
  await walk.options.settle?.();
  await nextTurn();
  throwIfCancelled(walk.options.signal);
}

function kindOf(stat: Stats): EntryKind | undefined {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "directory";
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isFIFO()) return "fifo";
  return stat.isSocket() ? undefined : "device";
}

async function takeChild(
  walk: Walk,
  parent: number,
  name: Buffer,
  path: string,
  stat: Stats,
  depth: number,
): Promise<void> {
  const kind = kindOf(stat);
  if (kind === undefined) return;
  walk.entries++;
  if (walk.entries > walk.limits.maxEntries) {
    throw imageError(
      "LAYER_LIMIT",
      `more than ${walk.limits.maxEntries} files (limit maxEntries)`,
      "scan a part of it",
    );
  }
  const entry = { path, kind, size: 0, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, linkTarget: "" };
  if (kind === "file") return readFile(walk, parent, name, { ...entry, size: stat.size });
  if (kind === "symlink") {
    walk.visit({ ...entry, linkTarget: readTarget(walk, parent, name, path) })?.end(true);
    return;
  }
  walk.visit(entry)?.end(true);
  if (kind === "directory" && walk.options.skipDirectory?.(path) !== true) await enter(walk, parent, name, path, depth);
}

function readTarget(walk: Walk, parent: number, name: Buffer, path: string): string {
  try {
    const target = readlinkSync(within(parent, name), { encoding: "buffer" });
    return decodeName(target, 0, target.length);
  } catch (error) {
    walk.options.onProblem?.(path, `link cannot be read: ${reasonCode(error)}`);
    return "";
  }
}

async function enter(walk: Walk, parent: number, name: Buffer, path: string, depth: number): Promise<void> {
  if (depth >= MAX_DEPTH) {
    walk.options.onProblem?.(path, `directories deeper than ${MAX_DEPTH} levels were left out`);
    return;
  }
  let directory: number;
  try {
    directory = openSync(within(parent, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    walk.options.onProblem?.(path, `directory cannot be read: ${reasonCode(error)}`);
    return;
  }
  try {
    if (fstatSync(directory).dev === walk.device) await walkDirectory(walk, directory, path, depth + 1);
    else if (!PSEUDO_FILE_SYSTEMS.has(statfsSync(`/proc/self/fd/${directory}`).type)) {
      walk.options.onProblem?.(path, "another file system is mounted here and was not read; scan it by itself");
    }
  } finally {
    closeSync(directory);
  }
}

/** Reads a file in pieces, at most as long as it was when it was looked at. */
async function readFile(walk: Walk, parent: number, name: Buffer, entry: LayerEntry): Promise<void> {
  const sink = walk.visit(entry);
  if (sink === undefined) return;
  let file: number;
  try {
    file = openSync(within(parent, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    walk.options.onProblem?.(entry.path, `file cannot be read: ${reasonCode(error)}`);
    sink.end(false);
    return;
  }
  let read = 0;
  try {
    // What was a file when it was looked at may be a FIFO by now.
    if (!fstatSync(file).isFile()) throw new Error("it is no file any more");
    while (read < entry.size) {
      const length = readSync(file, walk.buffer, 0, Math.min(READ_BYTES, entry.size - read), read);
      if (length === 0) break;
      sink.write(walk.buffer.subarray(0, length));
      read += length;
      walk.bytes += length;
      await takeTurn(walk);
    }
    if (read < entry.size) walk.options.onProblem?.(entry.path, "file became shorter while it was read");
  } catch (error) {
    throwIfCancelled(walk.options.signal);
    walk.options.onProblem?.(entry.path, `file cannot be read: ${reasonCode(error)}`);
    read = -1;
  } finally {
    closeSync(file);
  }
  sink.end(read === entry.size);
}

function reasonCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? reasonOf(error);
}
