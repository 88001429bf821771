/**
 * Bounds on what an image may ask of this program. Each is far above what honest images need; passing one is the coded
 * error `LAYER_LIMIT` (or `MANIFEST_INVALID` for documents) that names the limit.
 */
export interface Limits {
  /** Uncompressed bytes of one layer. 64 GiB take some four minutes to read. */
  readonly maxLayerBytes: number;
  /**
   * Uncompressed over compressed bytes, once a layer passed `ratioFreeBytes`. DEFLATE cannot pass 1,032:1, so this
   * bound stops zstd bombs (32,600:1) and lets everything through that gzip can express, even 8 GB of zeros.
   */
  readonly maxRatio: number;
  readonly ratioFreeBytes: number;
  /** Headers of one layer, those of PAX and long names included. */
  readonly maxEntries: number;
  /** Length of one path or link target (PATH_MAX of Linux). Longer ones cannot exist on disk: named and left out. */
  readonly maxPathLength: number;
  /** Bytes of one PAX header, GNU long name or sparse map. */
  readonly maxPaxBytes: number;
  /** Bytes of holes of sparse files that are given to visitors as zeros, per layer. */
  readonly maxHoleBytes: number;
  /** Base-2 logarithm of zstd's window: 27 is 128 MiB, the most that `zstd --ultra` makes without `--long=31`. */
  readonly zstdWindowLog: number;
  /** Bytes of a manifest or index. The distribution specification asks registries to take at least 4 MiB. */
  readonly maxManifestBytes: number;
  readonly maxConfigBytes: number;
  readonly maxLayers: number;
  /** Bytes of one stored layer, and of an archive that must be spooled. */
  readonly maxBlobBytes: number;
  /** Members of an image archive (not of a layer). */
  readonly maxArchiveMembers: number;
  /** Problems told per layer; one more says that there were others. */
  readonly maxProblems: number;
  /** Tries of one registry request, the first included. Progress on a blob starts the count again. */
  readonly retryAttempts: number;
  /** Wait before the first retry, doubled for each further one, with jitter. */
  readonly retryDelayMs: number;
  /** Longest wait between two tries, whatever Retry-After asks for. */
  readonly retryMaxDelayMs: number;
  /** Silence on a connection that counts as its end. */
  readonly idleTimeoutMs: number;
}

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

export const DEFAULT_LIMITS: Limits = {
  maxLayerBytes: 64 * GIB,
  maxRatio: 1_100,
  ratioFreeBytes: GIB,
  maxEntries: 10_000_000,
  maxPathLength: 4_096,
  maxPaxBytes: MIB,
  maxHoleBytes: GIB,
  zstdWindowLog: 27,
  maxManifestBytes: 4 * MIB,
  maxConfigBytes: 8 * MIB,
  maxLayers: 1_000,
  maxBlobBytes: 64 * GIB,
  maxArchiveMembers: 100_000,
  maxProblems: 1_000,
  retryAttempts: 5,
  retryDelayMs: 250,
  retryMaxDelayMs: 20_000,
  idleTimeoutMs: 60_000,
};

/** How many layers a caller should read at once: two keep two cores busy, the third hides the network's latency. */
export const DEFAULT_LAYER_CONCURRENCY = 3;

/** The defaults with the given ones in their place. */
export function limitsWith(overrides: Partial<Limits> | undefined): Limits {
  return { ...DEFAULT_LIMITS, ...overrides };
}
