import type { OperatingSystem } from "./image.ts";
import type { PackageFact } from "./package.ts";

/** A file's content as an analyzer gets it. */
export interface AnalyzedFile {
  /** Relative to the root of the image, `/` between parts, no leading slash: `var/lib/dpkg/status`. */
  readonly path: string;
  /** The whole content, at most the analyzer's `maxBytes`. Valid only during the call: copy what is kept. */
  readonly bytes: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
}

/** What an analyzer may ask of the outside; everything else it computes itself. */
export interface AnalyzerTools {
  /** Raw DEFLATE (RFC 1951). Throws when the data is bad or the result would pass `limitBytes`. */
  inflateRaw(bytes: Uint8Array, limitBytes: number): Uint8Array;
  /** ZLIB (RFC 1950). Throws when the data is bad or the result would pass `limitBytes`. */
  inflateZlib(bytes: Uint8Array, limitBytes: number): Uint8Array;
  /** Lower-case hexadecimal SHA-1. */
  sha1(bytes: Uint8Array): string;
}

/** What an OS package manager wrote down about a file when it installed it. */
export interface RecordedFile {
  /** Same form as {@link AnalyzedFile.path}. */
  readonly path: string;
  /** `md5:`, `sha1:` or `sha256:` and lower-case hexadecimal; `any` where the content may differ (a diverted file). */
  readonly digest: string;
}

/** What one analyzer read from one file. Empty parts may be left out. */
export interface FileFacts {
  readonly packages?: readonly PackageFact[];
  /** Paths (same form as {@link AnalyzedFile.path}) that the OS package manager put there: not reported a second time. */
  readonly owns?: readonly string[];
  /** Digests of files that nobody but the package manager should change: no configuration files. */
  readonly recorded?: readonly RecordedFile[];
  readonly os?: OperatingSystem;
  /** What could not be read, as sentences. Each one clears the report's `complete` flag. */
  readonly problems?: readonly string[];
}

/**
 * Reads packages from the files it wants. An analyzer is pure and declared in one file of
 * `packages/ecosystems/src/<ecosystem>/`; results are cached by layer and `version`, so raise it whenever the same
 * bytes would give other facts.
 */
export interface Analyzer {
  /** Kebab case, unique: `dpkg`, `npm-installed`. */
  readonly id: string;
  readonly version: number;
  /**
   * Globs over whole paths: `*` within a part, `**` over parts (leading `**\/` also matches no part). The special want
   * `executable` takes regular files that begin with the ELF magic number, whatever their path.
   */
  readonly wants: readonly string[];
  /** Files larger than this are named as a problem instead of read. Default 64 MiB; 128 MiB at most. */
  readonly maxBytes?: number;
  /** Must not throw on hostile input: what cannot be read becomes a problem. */
  read(file: AnalyzedFile, tools: AnalyzerTools): FileFacts;
}
