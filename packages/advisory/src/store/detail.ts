import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Cvss } from "@bulwark/model";
import type { AffectedPackage, RangeEvent } from "../osv-record.ts";

const MAX_BLOCK_BYTES = 256 * 1024 * 1024;
const MAX_DETAIL_BYTES = 64 * 1024 * 1024;
/** Shorter rows grow by compression. */
const COMPRESS_FROM = 300;
const BLOCK_LEVEL = 9;

/** What reports show of a record; short keys, for there are hundreds of thousands. */
export interface RecordDetail {
  readonly id: string;
  /** Title. */
  readonly t: string;
  /** Aliases. */
  readonly a?: readonly string[];
  /** Upstream flaws. */
  readonly u?: readonly string[];
  readonly cvss?: Cvss;
  /** Severity in the words of the source. */
  readonly s?: string;
  /** References. */
  readonly r?: readonly string[];
  /** A public exploit is referenced. */
  readonly x?: 1;
  /** Ids of the packages that have rows of it, for taking them out again. */
  readonly p: readonly number[];
  /** Ids of their ecosystems. */
  readonly e: readonly number[];
}

/** An affected package as its row holds it: ranges as `i0 f1.2` letters and versions. */
export interface AffectedDetail {
  readonly r?: readonly (readonly string[])[];
  /** Versions that no range implies. */
  readonly v?: readonly string[];
  readonly s?: string;
  readonly c?: Cvss;
  /** `n`: no fix planned, `x`: not affected. */
  readonly d?: "n" | "x";
  readonly m?: string;
}

const LETTERS: Readonly<Record<RangeEvent["kind"], string>> = {
  introduced: "i",
  fixed: "f",
  last_affected: "l",
  limit: "m",
};
const KINDS = new Map(Object.entries(LETTERS).map(([kind, letter]) => [letter, kind as RangeEvent["kind"]]));

/** Packs ranges. */
export function packRanges(ranges: AffectedPackage["ranges"]): readonly (readonly string[])[] {
  return ranges.map((events) => events.map(({ kind, version }) => LETTERS[kind] + version));
}

/** Inverse of {@link packRanges}. */
export function unpackRanges(packed: readonly (readonly string[])[] = []): AffectedPackage["ranges"] {
  return packed.map((events) =>
    events.map((event) => ({ kind: KINDS.get(event[0] ?? "") ?? "introduced", version: event.slice(1) })),
  );
}

/** Text as it is when short, compressed when long. */
export function packAffected(detail: AffectedDetail): string | Uint8Array {
  const json = JSON.stringify(detail);
  return json.length < COMPRESS_FROM ? json : zstdCompressSync(json);
}

/** Inverse of {@link packAffected}. */
export function unpackAffected(packed: string | Uint8Array): AffectedDetail {
  if (typeof packed === "string") return JSON.parse(packed);
  return JSON.parse(zstdDecompressSync(packed, { maxOutputLength: MAX_DETAIL_BYTES }).toString("utf8"));
}

const ONE_FIX = '{"r":[["i0","f';

/**
 * The fixed version of a packed row that holds every version before it and no other, which is what most rows say;
 * undefined for all other rows.
 */
export function onlyFix(packed: string | Uint8Array): string | undefined {
  if (typeof packed !== "string" || !packed.startsWith(ONE_FIX)) return undefined;
  const end = packed.indexOf('"', ONE_FIX.length);
  if (end < 0 || !packed.startsWith('"]]', end) || packed.includes('"v":[', end)) return undefined;
  const version = packed.slice(ONE_FIX.length, end);
  // "0" comes before every version, even before those that their order puts before it.
  return version.includes("\\") || version === "0" ? undefined : version;
}

/** Packs the details of up to BLOCK_SIZE records, one a line, so that a reader parses only those it wants. */
export function packBlock(details: readonly RecordDetail[]): Uint8Array {
  const lines = details.map((detail) => JSON.stringify(detail)).join("\n");
  return zstdCompressSync(lines, { params: { 100: BLOCK_LEVEL } });
}

/** Unpacks a block: gives the record in a slot, undefined when there is none. */
export function unpackBlock(packed: Uint8Array): (slot: number) => RecordDetail | undefined {
  const lines = zstdDecompressSync(packed, { maxOutputLength: MAX_BLOCK_BYTES }).toString("utf8").split("\n");
  return (slot) => {
    const line = lines[slot];
    return line === undefined ? undefined : JSON.parse(line);
  };
}
