import type { ContentFact } from "./content.ts";
import type { OperatingSystem } from "./image.ts";
import type { PackageFact } from "./package.ts";

/** What one file of a layer told. */
export interface FileReport {
  readonly path: string;
  readonly analyzer: string;
  readonly packages: readonly PackageFact[];
  readonly os?: OperatingSystem;
  readonly problems: readonly string[];
  /** What content scanners found. */
  readonly content?: readonly ContentFact[];
  /** There when the file itself matters to checks of the image, whatever its content. */
  readonly notable?: { readonly mode: number; readonly sizeBytes: number };
}

/**
 * Everything a layer tells by itself, without the layers below it: cached by diffID and the analyzers' versions, so
 * that a layer is read once however many images share it.
 */
export interface LayerReport {
  readonly diffId: string;
  readonly files: readonly FileReport[];
  /** Paths of lower layers that this layer removes. */
  readonly whiteouts: readonly string[];
  /** Directories whose lower content this layer hides. */
  readonly opaque: readonly string[];
  /** What could not be read in the layer as a whole. */
  readonly problems: readonly { readonly path: string; readonly what: string }[];
  /** Number of entries and uncompressed bytes that were read. */
  readonly entries: number;
  readonly bytes: number;
  /** All paths that are not directories, NUL between them, zstd-compressed: which files of lower layers are replaced. */
  readonly paths: Uint8Array;
  /** Paths that OS packages of this layer own, in the same form. */
  readonly owned: Uint8Array;
  /**
   * What package managers recorded of their files, in the same form: path of the database, number of files, then path
   * and digest of each.
   */
  readonly recorded: Uint8Array;
  /** Path and digests of each file in a place of the operating system that no record of this layer vouches for. */
  readonly digests: Uint8Array;
}
