import type { ContentSink, EntryKind, EntryVisitor, LayerEntry } from "@bulwark/model";
import { imageError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { BLOCK, checkHeader, fieldEnd, isZero, parseNumber, prefixLength } from "./header.ts";
import { decodeName, safePath } from "./name.ts";
import { type PaxRecords, parsePax } from "./pax.ts";
import { fillHoles, judgeSparseMap, type SparseMap, type SparseMapReader, sparseMapReader } from "./sparse.ts";

/** Bounds of the reader, part of {@link Limits}. */
type TarLimits = Pick<Limits, "maxEntries" | "maxPathLength" | "maxPaxBytes" | "maxHoleBytes">;

export interface TarReaderOptions {
  readonly limits: TarLimits;
  /** Told of everything odd that was made safe or left out. `path` as far as it is known. */
  onProblem(path: string, what: string): void;
  /** True for layers, where `.wh.` names remove (OCI image specification, "Whiteouts"); false for other archives. */
  readonly whiteouts: boolean;
}

/** A header as far as it is read before its extensions are applied. */
interface Header {
  readonly type: number;
  readonly name: string;
  readonly linkName: string;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Set for old GNU sparse files: real size, and the map as far as it is read. */
  readonly oldSparse?: { readonly realSize: number; readonly map: number[] };
}

type Body = "none" | "content" | "skip" | "pax" | "gnu-name" | "gnu-link" | "sparse-table" | "sparse-map" | "ended";

const TYPE = { L: 0x4c, K: 0x4b, S: 0x53, g: 0x67, x: 0x78 } as const;
const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
const NO_RECORDS: PaxRecords = {};

const KINDS: Readonly<Record<number, EntryKind>> = {
  0: "file",
  48: "file",
  49: "hardlink",
  50: "symlink",
  51: "device",
  52: "device",
  53: "directory",
  54: "fifo",
  55: "file",
  83: "file",
};

/**
 * Push reader for tar: ustar, PAX, GNU long names, GNU sparse files (old, 0.0, 0.1, 1.0). Chunks of any size go in, the
 * visitor is called for every entry, and content goes on to its sink in pieces of the given chunks, without a copy.
 * Extensions are applied as Go's archive/tar does it, since that is what container runtimes unpack with. Nothing is
 * kept of entries that are over.
 *
 * @throws LAYER_INVALID for what is no tar, LAYER_TORN from `end` within an entry, LAYER_LIMIT beyond the limits.
 * @example const tar = new TarReader(visit, options); for await (const chunk of stream) tar.write(chunk); tar.end();
 */
export class TarReader {
  /** Bytes taken so far. While the visitor is called: where the entry's content begins. */
  offset = 0;
  /** Entries given to the visitor. */
  entries = 0;
  /** Bytes that are not zero after the end of the archive. */
  trailing = 0;

  private readonly visit: EntryVisitor;
  private readonly options: TarReaderOptions;
  private body: Body = "none";
  /** Bytes of the current body that are still to come, and of the padding after it. */
  private remaining = 0;
  private padding = 0;
  private sink: ContentSink | undefined;
  /** A header or meta block that was cut by the end of a chunk. */
  private readonly carry = Buffer.alloc(BLOCK);
  private carried = 0;
  private zeroBlocks = 0;
  private headers = 0;
  private holeBytes = 0;
  private meta: Buffer[] = [];
  private metaIsGlobal = false;
  private pax: PaxRecords = NO_RECORDS;
  private longName: string | undefined;
  private longLink: string | undefined;
  private pending: Header | undefined;
  private mapReader: SparseMapReader | undefined;
  private mapBytes = 0;

  constructor(visit: EntryVisitor, options: TarReaderOptions) {
    this.visit = visit;
    this.options = options;
  }

  /** How many of the bytes to come would be thrown away: a reader of a file may seek over them. */
  get skippable(): number {
    if (this.body === "skip") return this.remaining + this.padding;
    return this.body === "none" && this.carried === 0 ? this.padding : 0;
  }

  /** Goes over bytes that the caller did not read; at most {@link skippable}. */
  skip(count: number): void {
    const ofBody = Math.min(count, this.remaining);
    this.remaining -= ofBody;
    this.padding -= count - ofBody;
    this.offset += count;
    if (this.remaining === 0) this.body = "none";
  }

  write(bytes: Uint8Array): void {
    const chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const start = this.offset;
    let at = 0;
    while (at < chunk.length) {
      if (this.remaining > 0) {
        at = this.takeBody(chunk, at);
      } else if (this.padding > 0) {
        const length = Math.min(this.padding, chunk.length - at);
        this.padding -= length;
        at += length;
      } else if (this.body === "ended") {
        if (!isZero(chunk, at, chunk.length)) this.trailing += chunk.length - at;
        at = chunk.length;
      } else if (this.carried === 0 && chunk.length - at >= BLOCK) {
        this.offset = start + at + BLOCK;
        this.takeBlock(chunk, at);
        at += BLOCK;
      } else {
        at = this.carryBlock(chunk, at, start);
      }
      this.offset = start + at;
    }
  }

  /** True once the end-of-archive marker was read: whatever follows is no entry. */
  get ended(): boolean {
    return this.body === "ended";
  }

  /**
   * Ends the archive. A missing end marker is tolerated, an entry cut in two is not.
   *
   * @throws LAYER_TORN
   */
  end(): void {
    const within = (this.body !== "none" && this.body !== "ended") || this.carried > 0 || this.padding > 0;
    if (within) {
      this.abandon();
      throw imageError("LAYER_TORN", `the archive ends within an entry, after ${this.offset} bytes`);
    }
    if (this.trailing > 0) this.problem("", `${this.trailing} bytes after the end of the archive were ignored`);
  }

  /** Tells the sink of a file whose content will not come that it is over. */
  abandon(): void {
    this.sink?.end(false);
    this.sink = undefined;
  }

  private problem(path: string, what: string): void {
    this.options.onProblem(path, what);
  }

  /** Puts a block together that two or more chunks hold. */
  private carryBlock(chunk: Buffer, at: number, start: number): number {
    const length = Math.min(BLOCK - this.carried, chunk.length - at);
    chunk.copy(this.carry, this.carried, at, at + length);
    this.carried += length;
    if (this.carried === BLOCK) {
      this.carried = 0;
      this.offset = start + at + length;
      this.takeBlock(this.carry, 0);
    }
    return at + length;
  }

  private takeBody(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.remaining);
    if (this.body === "content") {
      this.sink?.write(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end));
    } else if (this.body !== "skip") {
      this.meta.push(Buffer.from(chunk.subarray(at, end)));
    }
    this.remaining -= end - at;
    if (this.remaining === 0) this.endBody();
    return end;
  }

  private endBody(): void {
    const body = this.body;
    this.body = "none";
    if (body === "content") {
      const sink = this.sink;
      this.sink = undefined;
      sink?.end(true);
      return;
    }
    if (body === "skip") return;
    const bytes = this.meta.length === 1 ? this.meta[0]! : Buffer.concat(this.meta);
    this.meta = [];
    if (body === "pax") this.takePax(bytes);
    else if (body === "gnu-name") this.longName = decodeName(bytes, 0, fieldEnd(bytes, 0, bytes.length));
    else if (body === "gnu-link") this.longLink = decodeName(bytes, 0, fieldEnd(bytes, 0, bytes.length));
  }

  private takePax(bytes: Buffer): void {
    const { records, odd } = parsePax(bytes);
    if (odd !== "") this.problem(records.path ?? "", odd);
    if (!this.metaIsGlobal) {
      this.pax = records;
    } else if (records.path !== undefined || records.linkpath !== undefined || records.size !== undefined) {
      // Go's archive/tar does not apply global records to entries, so neither does any container runtime.
      this.problem("", "global PAX header gives a path, link or size: ignored, as container runtimes do");
    }
  }

  /** A whole block where a header, or a block of a sparse map, is due. */
  private takeBlock(bytes: Buffer, at: number): void {
    if (this.body === "sparse-table") this.takeSparseTable(bytes, at);
    else if (this.body === "sparse-map") this.takeSparseLines(bytes, at);
    else this.takeHeaderBlock(bytes, at);
  }

  private takeHeaderBlock(bytes: Buffer, at: number): void {
    const check = checkHeader(bytes, at);
    if (check === "zero") {
      this.zeroBlocks++;
      if (this.zeroBlocks === 2) this.body = "ended";
      return;
    }
    if (check === "bad" || this.zeroBlocks > 0) {
      const place = this.offset - BLOCK;
      throw imageError(
        "LAYER_INVALID",
        `no tar header at byte ${place}: ${check === "bad" ? "wrong checksum" : "it follows an end block"}`,
      );
    }
    this.headers++;
    if (this.headers > this.options.limits.maxEntries) {
      throw imageError("LAYER_LIMIT", `more than ${this.options.limits.maxEntries} entries (limit maxEntries)`);
    }
    this.takeHeader(this.readHeader(bytes, at), bytes, at);
  }

  private readHeader(bytes: Buffer, at: number): Header {
    const size = parseNumber(bytes, at + 124, 12);
    if (!(size >= 0)) throw imageError("LAYER_INVALID", `entry at byte ${this.offset - BLOCK} has an unreadable size`);
    const prefix = prefixLength(bytes, at);
    const base = decodeName(bytes, at, fieldEnd(bytes, at, 100));
    const mode = parseNumber(bytes, at + 100, 8);
    const uid = parseNumber(bytes, at + 108, 8);
    const gid = parseNumber(bytes, at + 116, 8);
    return {
      type: bytes[at + 156]!,
      name: prefix === 0 ? base : `${decodeName(bytes, at + 345, fieldEnd(bytes, at + 345, prefix))}/${base}`,
      linkName: bytes[at + 157] === 0 ? "" : decodeName(bytes, at + 157, fieldEnd(bytes, at + 157, 100)),
      size,
      mode: mode & 0o7777,
      uid: Number.isNaN(uid) ? 0 : uid,
      gid: Number.isNaN(gid) ? 0 : gid,
    };
  }

  private takeHeader(header: Header, bytes: Buffer, at: number): void {
    const { type, size } = header;
    const isFile = KINDS[type] === "file";
    if (type === TYPE.x || type === TYPE.g) this.startMeta("pax", size, type === TYPE.g);
    else if (type === TYPE.L) this.startMeta("gnu-name", size, false);
    else if (type === TYPE.K) this.startMeta("gnu-link", size, false);
    else if (type === TYPE.S) this.startOldSparse(header, bytes, at);
    else if (isFile && this.pax.sparseMajor === "1" && this.pax.sparseMinor === "0") this.startSparseLines(header);
    else if (isFile) this.startEntry(header, this.pax.size ?? size, this.pax.sparseMap, this.pax.sparseSize ?? 0);
    else this.startEntry(header, this.pax.size ?? size, undefined, 0);
  }

  private startSparseLines(header: Header): void {
    this.pending = header;
    this.mapReader = sparseMapReader();
    this.mapBytes = 0;
    this.body = "sparse-map";
  }

  private startMeta(body: "pax" | "gnu-name" | "gnu-link", size: number, isGlobal: boolean): void {
    if (size > this.options.limits.maxPaxBytes) {
      throw imageError(
        "LAYER_LIMIT",
        `an extended header of ${size} bytes (limit maxPaxBytes ${this.options.limits.maxPaxBytes})`,
      );
    }
    this.metaIsGlobal = isGlobal;
    this.startBody(body, size);
    if (size === 0) this.endBody();
  }

  private startBody(body: Body, size: number): void {
    this.body = body;
    this.remaining = size;
    this.padding = (BLOCK - (size % BLOCK)) % BLOCK;
  }

  /** Old GNU format: four pieces in the header, further ones in blocks after it. */
  private startOldSparse(header: Header, bytes: Buffer, at: number): void {
    const realSize = parseNumber(bytes, at + 483, 12);
    if (!(realSize >= 0)) throw imageError("LAYER_INVALID", `${header.name}: sparse file with an unreadable size`);
    const map: number[] = [];
    readPieces(bytes, at + 386, 4, map);
    this.pending = { ...header, oldSparse: { realSize, map } };
    this.mapBytes = 0;
    this.body = "sparse-table";
    if (bytes[at + 482] === 0) this.startPendingSparse(map, realSize, header.size);
  }

  private takeSparseTable(bytes: Buffer, at: number): void {
    const header = this.pending!;
    this.countMapBlock(header.name);
    const { realSize, map } = header.oldSparse!;
    readPieces(bytes, at, 21, map);
    if (bytes[at + 504] === 0) this.startPendingSparse(map, realSize, header.size);
  }

  private takeSparseLines(bytes: Buffer, at: number): void {
    const header = this.pending!;
    this.countMapBlock(header.name);
    const size = this.pax.size ?? header.size;
    const result = this.mapReader!.push(bytes.subarray(at, at + BLOCK));
    if (typeof result === "string" || size < this.mapBytes) {
      throw imageError(
        "LAYER_INVALID",
        `${header.name}: ${typeof result === "string" ? result : "sparse map is longer than the file"}`,
      );
    }
    if (result !== undefined) this.startPendingSparse(result, this.pax.sparseSize ?? 0, size - this.mapBytes);
  }

  private countMapBlock(name: string): void {
    this.mapBytes += BLOCK;
    if (this.mapBytes > this.options.limits.maxPaxBytes) {
      throw imageError(
        "LAYER_LIMIT",
        `${name}: sparse map of more than ${this.options.limits.maxPaxBytes} bytes (limit maxPaxBytes)`,
      );
    }
  }

  private startPendingSparse(map: SparseMap, realSize: number, storedSize: number): void {
    const header = this.pending!;
    this.pending = undefined;
    this.mapReader = undefined;
    this.body = "none";
    this.startEntry(header, storedSize, map, realSize);
  }

  private startEntry(header: Header, size: number, map: SparseMap | undefined, realSize: number): void {
    const pax = this.pax;
    const name = this.longName ?? pax.sparseName ?? pax.path ?? header.name;
    const linkName = this.longLink ?? pax.linkpath ?? header.linkName;
    this.pax = NO_RECORDS;
    this.longName = undefined;
    this.longLink = undefined;
    let kind = KINDS[header.type];
    // Version 7 archives mark directories by a slash alone.
    if (kind === "file" && header.type !== 55 && name.endsWith("/")) kind = "directory";
    // Links, devices and directories have no content, whatever their size field says (Go's archive/tar does the same).
    const isFile = kind === "file";
    const stored = isFile || kind === undefined ? size : 0;
    this.startBody("skip", stored);
    const entry = this.makeEntry(header, pax, kind, name, linkName, stored);
    if (entry !== undefined) this.giveEntry(entry, stored, map, realSize);
    if (stored === 0) this.endBody();
  }

  /** The entry made safe, or undefined for what must be left out. */
  private makeEntry(
    header: Header,
    pax: PaxRecords,
    kind: EntryKind | undefined,
    name: string,
    linkName: string,
    size: number,
  ): LayerEntry | undefined {
    const limit = this.options.limits.maxPathLength;
    const { path, odd } = safePath(name);
    if (odd !== "") this.problem(path, `${odd}: ${name.slice(0, limit)}`);
    if (kind === undefined) {
      this.problem(path, `entry of unknown type ${JSON.stringify(String.fromCharCode(header.type))} was left out`);
      return undefined;
    }
    if (path.length > limit || linkName.length > limit) {
      this.problem(path.slice(0, limit), `path or link of more than ${limit} characters was left out`);
      return undefined;
    }
    if (path === "") {
      // The root itself tells nothing; anything else of that name cannot exist.
      if (kind !== "directory") this.problem("", `${kind} without a name was left out`);
      return undefined;
    }
    if (this.options.whiteouts) {
      const slash = path.lastIndexOf("/") + 1;
      if (path.startsWith(WHITEOUT, slash)) return this.makeWhiteout(path, slash);
    }
    return {
      path,
      kind,
      size: kind === "file" ? size : 0,
      mode: header.mode,
      uid: pax.uid ?? header.uid,
      gid: pax.gid ?? header.gid,
      linkTarget: kind === "symlink" ? linkName : kind === "hardlink" ? this.hardLinkTarget(path, linkName) : "",
    };
  }

  private hardLinkTarget(path: string, linkName: string): string {
    const target = safePath(linkName);
    if (target.odd !== "") this.problem(path, `hard link's target: ${target.odd}: ${linkName}`);
    return target.path;
  }

  private makeWhiteout(path: string, slash: number): LayerEntry | undefined {
    const base = path.slice(slash);
    const directory = path.slice(0, Math.max(0, slash - 1));
    const plain = { size: 0, mode: 0, uid: 0, gid: 0, linkTarget: "" } as const;
    if (base === OPAQUE) return { ...plain, path: directory, kind: "opaque" };
    // Other names that begin so are AUFS's own bookkeeping, which every runtime leaves out.
    if (base.startsWith(".wh..wh.")) return undefined;
    const removed = base.slice(WHITEOUT.length);
    if (removed === "" || removed === "." || removed === "..") {
      this.problem(path, "whiteout that names nothing was left out");
      return undefined;
    }
    return { ...plain, path: directory === "" ? removed : `${directory}/${removed}`, kind: "whiteout" };
  }

  private giveEntry(entry: LayerEntry, stored: number, map: SparseMap | undefined, realSize: number): void {
    this.entries++;
    if (map === undefined) {
      this.startContent(this.visit(entry), entry.kind === "file" ? stored : 0);
      return;
    }
    const wrong = judgeSparseMap(map, realSize, stored);
    if (wrong !== "") throw imageError("LAYER_INVALID", `${entry.path}: ${wrong}`);
    const holes = realSize - stored;
    if (this.holeBytes + holes > this.options.limits.maxHoleBytes) {
      this.problem(entry.path, `sparse file of ${realSize} bytes: only its ${stored} stored bytes were read`);
      this.startContent(this.visit(entry), stored);
      return;
    }
    const sink = this.visit({ ...entry, size: realSize });
    if (sink !== undefined) this.holeBytes += holes;
    this.startContent(sink && fillHoles(sink, map, realSize), stored);
  }

  private startContent(sink: ContentSink | undefined, stored: number): void {
    if (sink === undefined) return;
    if (stored === 0) {
      sink.end(true);
      return;
    }
    this.sink = sink;
    this.body = "content";
  }
}

function readPieces(bytes: Buffer, at: number, count: number, map: number[]): void {
  for (let i = 0; i < count; i++) {
    const field = at + i * 24;
    if (bytes[field] === 0) return;
    map.push(parseNumber(bytes, field, 12), parseNumber(bytes, field + 12, 12));
  }
}
