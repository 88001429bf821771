import type { Analyzer, FileFacts } from "@bulwark/model";
import { type Elf, fileOffset, findBytes, readElf, readWord } from "../elf.ts";
import { type FactList, factList } from "../language-facts.ts";
import { textOf } from "../text.ts";

/** kube-apiserver has 90 MiB. */
const MAX_BYTES = 128 * 1024 * 1024;
const MAGIC = Uint8Array.from([0xff, ...[..." Go buildinf:"].map((letter) => letter.charCodeAt(0))]);
const HEADER_BYTES = 32;
/** Where the header is looked for when no section says; the linker puts it at the start of the data. */
const SEARCHED_BYTES = 1024 * 1024;
const MAX_INFO_BYTES = 4 * 1024 * 1024;
const INLINE_STRINGS = 2;
const BIG_ENDIAN = 1;
/** The module information stands between two markers of 16 bytes. */
const MARKER_BYTES = 16;

/** A pseudo-version of a repository without tags (Go Modules Reference, "Pseudo-versions"). */
const UNTAGGED = /^v0\.0\.0-\d{14}-[0-9a-f]{12}/;

/** Modules compiled into a Go program, and the standard library, by its build information. */
export const goBinary: Analyzer = {
  id: "go-binary",
  version: 2,
  wants: ["executable"],
  maxBytes: MAX_BYTES,
  read({ bytes }): FileFacts {
    const elf = readElf(bytes);
    const at = elf === undefined ? -1 : findHeader(elf, bytes);
    if (elf === undefined || at < 0) return {};
    const info = (bytes[at + 15] ?? 0) & INLINE_STRINGS ? inlineInfo(bytes, at) : pointedInfo(elf, bytes, at);
    if (info === undefined) return { problems: ["its Go build information is damaged"] };
    const list = factList("golang", "embedded");
    addStandardLibrary(info.version, list);
    addModules(info.modules, list);
    return list.facts();
  },
};

function findHeader(elf: Elf, bytes: Uint8Array): number {
  const section = elf.sections.find(({ name }) => name === ".go.buildinfo");
  const data = section ?? elf.segments.find(({ writable }) => writable);
  if (data === undefined) return -1;
  const at = findBytes(bytes, MAGIC, data.offset, data.offset + Math.min(data.size, SEARCHED_BYTES));
  return at >= 0 && at + HEADER_BYTES <= bytes.length ? at : -1;
}

interface BuildInfo {
  readonly version: string;
  readonly modules: string;
}

/** Since Go 1.18 two strings with their lengths as varints follow the header. */
function inlineInfo(bytes: Uint8Array, at: number): BuildInfo | undefined {
  const version = varintString(bytes, at + HEADER_BYTES);
  const modules = version === undefined ? undefined : varintString(bytes, version.next);
  if (version === undefined || modules === undefined) return undefined;
  return { version: textOf(version.content), modules: withoutMarkers(modules.content) };
}

function varintString(bytes: Uint8Array, start: number): { content: Uint8Array; next: number } | undefined {
  let length = 0;
  let at = start;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined) return undefined;
    length |= (byte & 0x7f) << shift;
    if ((byte & 0x80) === 0) {
      const isWhole = length <= MAX_INFO_BYTES && at + length <= bytes.length;
      return isWhole ? { content: bytes.subarray(at, at + length), next: at + length } : undefined;
    }
  }
  return undefined;
}

/** Before Go 1.18 the header points at two string headers. */
function pointedInfo(elf: Elf, bytes: Uint8Array, at: number): BuildInfo | undefined {
  const size = bytes[at + 14];
  const is64 = size === 8;
  if (!is64 && size !== 4) return undefined;
  const words = { ...elf, is64, little: ((bytes[at + 15] ?? 0) & BIG_ENDIAN) === 0 };
  const stringAt = (pointerAt: number): Uint8Array | undefined => {
    const header = fileOffset(elf, readWord(words, pointerAt), 2 * size);
    if (header === undefined) return undefined;
    const length = readWord(words, header + size);
    if (length > MAX_INFO_BYTES) return undefined;
    const start = fileOffset(elf, readWord(words, header), length);
    return start === undefined ? undefined : bytes.subarray(start, start + length);
  };
  const version = stringAt(at + 16);
  const modules = stringAt(at + 16 + size);
  return version === undefined
    ? undefined
    : { version: textOf(version), modules: withoutMarkers(modules ?? new Uint8Array()) };
}

function withoutMarkers(content: Uint8Array): string {
  return content.length > 2 * MARKER_BYTES ? textOf(content, MARKER_BYTES, content.length - MARKER_BYTES) : "";
}

function addStandardLibrary(version: string, list: FactList): void {
  const release = /^go(\d+\.\d+(?:\.\d+)?(?:(?:rc|beta)\d+)?)/.exec(version)?.[1];
  // Advisories write release candidates as semantic versions: `1.21.0-rc.2` (Go vulnerability database, "stdlib").
  if (release !== undefined) list.add("", "stdlib", release.replace(/(rc|beta)(\d+)$/, "-$1.$2"));
}

/** Lines of `mod`, `dep` and `=>` (runtime/debug, "BuildInfo"): a replacement stands for the line before it. */
function addModules(text: string, list: FactList): void {
  let pending: readonly [path: string, version: string] | undefined;
  const finish = () => {
    if (pending !== undefined && /^v\d/.test(pending[1])) list.add("", pending[0], pending[1]);
    pending = undefined;
  };
  for (const line of text.split("\n")) {
    const [kind, path = "", version = ""] = line.split("\t");
    if (kind === "=>") {
      pending = [path, version];
      continue;
    }
    finish();
    // Since Go 1.24 a program without a tagged version has a pseudo-version that is below every release, and every fix.
    if (kind === "dep" || (kind === "mod" && !UNTAGGED.test(version))) pending = [path, version];
  }
  finish();
}
