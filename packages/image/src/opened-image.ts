import type { EntryVisitor } from "@bulwark/model";
import { type ImageConfig, instructionsOf } from "./config.ts";
import { imageError, throwIfCancelled } from "./errors.ts";
import { keptLayers } from "./layer/kept-layers.ts";
import { type LayerSummary, type ReadLayerOptions, readLayerStream } from "./layer/read-layer.ts";
import type { Limits } from "./limits.ts";

/** One layer of an opened image, before it is read. */
export interface LayerDescriptor {
  /** 0 is the lowest. */
  readonly index: number;
  /** Digest of the uncompressed tar as the configuration says; empty for a root file system directory. */
  readonly diffId: string;
  /** Digest of the stored bytes; the diffID for docker archives, which give no other. */
  readonly digest: string;
  /** Stored bytes. */
  readonly size: number;
  readonly mediaType: string;
  /** The Dockerfile instruction that made it, as far as the history tells. */
  readonly createdBy: string;
  /** True when the layer's bytes are not distributed with the image: it is named, never fetched. */
  readonly foreign: boolean;
}

/** An image whose manifest and configuration are read and verified and whose layers wait to be read. */
export interface OpenedImage {
  /** The reference in full, without credentials. */
  readonly reference: string;
  /** Digest of the manifest, or of the configuration where the source has no manifest; empty for a directory. */
  readonly digest: string;
  /** Digest of what the reference names: that of the index where it names one, else the same as `digest`. */
  readonly rootDigest: string;
  /** `os/arch[/variant]`. */
  readonly platform: string;
  readonly config: ImageConfig;
  readonly annotations: Readonly<Record<string, string>>;
  readonly layers: readonly LayerDescriptor[];
  /**
   * Reads a layer as a stream. Several may be read at once (see DEFAULT_LAYER_CONCURRENCY), and one more than once.
   * Digests are verified at the end, so what was visited counts only when this resolves.
   *
   * @throws LAYER_FOREIGN, LAYER_TORN, LAYER_INVALID, LAYER_LIMIT, DIGEST_MISMATCH, CANCELLED, and the source's own
   */
  readLayer(index: number, visit: EntryVisitor, options?: ReadLayerOptions): Promise<LayerSummary>;
  /** Gives up what `ReadLayerOptions.keep` kept of a layer. */
  forgetLayer(index: number): Promise<void>;
  /** Ends connections and removes temporary files. Layers cannot be read afterwards. */
  close(): Promise<void>;
}

/** A layer and how its stored bytes are read. */
export interface LayerParts {
  readonly layer: Omit<LayerDescriptor, "createdBy" | "index">;
  /** False where `digest` is no digest of the stored bytes. */
  readonly digestOfStored: boolean;
  open(signal: AbortSignal | undefined): AsyncIterable<Uint8Array>;
}

export interface ImageParts
  extends Pick<OpenedImage, "reference" | "digest" | "rootDigest" | "platform" | "config" | "annotations"> {
  readonly layers: readonly LayerParts[];
  /** True when reading a layer costs traffic: what is to be read again is kept meanwhile. */
  readonly isRemote?: boolean;
  close(): Promise<void>;
}

/** Makes the opened image of a source that holds layers as tar streams. */
export function createOpenedImage(parts: ImageParts, limits: Limits): OpenedImage {
  const instructions = instructionsOf(parts.config, parts.layers.length);
  const layers = parts.layers.map(({ layer }, index) => ({ ...layer, index, createdBy: instructions[index] ?? "" }));
  const kept = keptLayers();
  const streamOf = (index: number, source: LayerParts, { keep = false, signal }: ReadLayerOptions) => {
    const again = kept.again(index, source.layer.size);
    if (again !== undefined) return again;
    const stream = source.open(signal);
    return keep && parts.isRemote === true ? kept.keep(index, stream) : stream;
  };
  return {
    reference: parts.reference,
    digest: parts.digest,
    rootDigest: parts.rootDigest,
    platform: parts.platform,
    config: parts.config,
    annotations: parts.annotations,
    layers,
    async readLayer(index, visit, options = {}) {
      const layer = layers[index];
      const source = parts.layers[index];
      if (layer === undefined || source === undefined)
        throw new RangeError(`no layer ${index} in an image of ${layers.length}`);
      throwIfCancelled(options.signal);
      const what = `layer ${index} (${layer.digest})`;
      if (layer.foreign) {
        throw imageError(
          "LAYER_FOREIGN",
          `${what} of ${parts.reference} is not distributed with the image and was not fetched`,
        );
      }
      const digest = source.digestOfStored ? layer.digest : "";
      const stream = { what, digest, size: layer.size, diffId: layer.diffId, mediaType: layer.mediaType };
      return readLayerStream(streamOf(index, source, options), stream, limits, visit, options);
    },
    forgetLayer: kept.forget,
    async close() {
      await kept.close();
      await parts.close();
    },
  };
}
