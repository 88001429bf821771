/** Parts of ELF files that tell how a program was built (System V ABI, "Object Files"). Nothing is read outside the file. */

const MAX_SECTIONS = 4_096;
const MAX_SEGMENTS = 256;
const MAX_NAME_LENGTH = 64;
const WRITABLE = 2;
const LOAD = 1;

/** A stretch of the file and where it lies in memory. */
interface ElfRange {
  readonly name: string;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly writable: boolean;
}

export interface Elf {
  readonly view: DataView;
  readonly is64: boolean;
  readonly little: boolean;
  readonly sections: readonly ElfRange[];
  /** Loadable segments. */
  readonly segments: readonly ElfRange[];
}

/** Reads the headers; undefined when the file is no ELF. Headers that point outside the file are left out. */
export function readElf(bytes: Uint8Array): Elf | undefined {
  if (bytes.length < 64 || bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46)
    return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const is64 = bytes[4] === 2;
  const little = bytes[5] === 1;
  const header = { view, is64, little };
  return { ...header, sections: readSections(header), segments: readSegments(header) };
}

type Header = Pick<Elf, "view" | "is64" | "little">;

/** An address or offset; beyond 2^53 it cannot be inside any file. */
export function readWord({ view, is64, little }: Header, at: number): number {
  if (!is64) return view.getUint32(at, little);
  const value = view.getBigUint64(at, little);
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

function readSections(header: Header): readonly ElfRange[] {
  const { view, is64, little } = header;
  const start = readWord(header, is64 ? 40 : 32);
  const entrySize = view.getUint16(is64 ? 58 : 46, little);
  const count = Math.min(view.getUint16(is64 ? 60 : 48, little), MAX_SECTIONS);
  const namesIndex = view.getUint16(is64 ? 62 : 50, little);
  if (entrySize < (is64 ? 64 : 40) || start + count * entrySize > view.byteLength) return [];
  const raw = Array.from({ length: count }, (_, index) => readSection(header, start + index * entrySize));
  const names = raw[namesIndex];
  const inside = raw.filter(({ offset, size }) => offset + size <= view.byteLength);
  return inside.map(({ nameAt, ...range }) => ({
    ...range,
    name: names === undefined ? "" : nameIn(view, names, nameAt),
  }));
}

function readSection(header: Header, at: number): Omit<ElfRange, "name"> & { nameAt: number } {
  const { view, is64, little } = header;
  const flags = readWord(header, at + 8);
  return {
    nameAt: view.getUint32(at, little),
    writable: (flags & 1) === 1,
    address: readWord(header, at + (is64 ? 16 : 12)),
    offset: readWord(header, at + (is64 ? 24 : 16)),
    size: readWord(header, at + (is64 ? 32 : 20)),
  };
}

function nameIn(view: DataView, names: { readonly offset: number; readonly size: number }, nameAt: number): string {
  let text = "";
  const end = Math.min(names.offset + names.size, view.byteLength);
  for (let at = names.offset + nameAt; at < end && text.length < MAX_NAME_LENGTH; at++) {
    const code = view.getUint8(at);
    if (code === 0) break;
    text += String.fromCharCode(code);
  }
  return text;
}

function readSegments(header: Header): readonly ElfRange[] {
  const { view, is64, little } = header;
  const start = readWord(header, is64 ? 32 : 28);
  const entrySize = view.getUint16(is64 ? 54 : 42, little);
  const count = Math.min(view.getUint16(is64 ? 56 : 44, little), MAX_SEGMENTS);
  if (entrySize < (is64 ? 56 : 32) || start + count * entrySize > view.byteLength) return [];
  const segments: ElfRange[] = [];
  for (let index = 0; index < count; index++) {
    const at = start + index * entrySize;
    if (view.getUint32(at, little) !== LOAD) continue;
    const flags = view.getUint32(at + (is64 ? 4 : 24), little);
    const offset = readWord(header, at + (is64 ? 8 : 4));
    const address = readWord(header, at + (is64 ? 16 : 8));
    const size = readWord(header, at + (is64 ? 32 : 16));
    if (offset + size <= view.byteLength)
      segments.push({ name: "", address, offset, size, writable: (flags & WRITABLE) !== 0 });
  }
  return segments;
}

/** Where the bytes at a memory address lie in the file, undefined when they are not there whole. */
export function fileOffset({ segments }: Elf, address: number, length: number): number | undefined {
  const segment = segments.find((range) => address >= range.address && address + length <= range.address + range.size);
  return segment === undefined ? undefined : segment.offset + (address - segment.address);
}

/** Index of `needle` in `bytes` between two bounds, -1 when it is not there. */
export function findBytes(bytes: Uint8Array, needle: Uint8Array, from: number, to: number): number {
  const first = needle[0] ?? 0;
  const last = Math.min(to, bytes.length) - needle.length;
  for (let at = bytes.indexOf(first, from); at >= 0 && at <= last; at = bytes.indexOf(first, at + 1)) {
    let same = 1;
    while (same < needle.length && bytes[at + same] === needle[same]) same++;
    if (same === needle.length) return at;
  }
  return -1;
}
