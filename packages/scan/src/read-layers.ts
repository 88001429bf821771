import { DEFAULT_LAYER_CONCURRENCY, type LayerDescriptor, type OpenedImage } from "@bulwark/image";
import { CodedError, type LayerReport } from "@bulwark/model";
import { analyzeLayer } from "./analyze-layer.ts";
import type { LayerReports } from "./layer-cache.ts";
import { pathListWriter } from "./path-list.ts";
import type { ScanProgress } from "./progress.ts";
import { type ContentOptions, type ScannerSet, scannerSet } from "./scanner-set.ts";
import { type SharedScratch, sharedScratch } from "./scratch.ts";

export interface ReadOptions {
  readonly cache?: LayerReports;
  /** Content scanners; none by default. */
  readonly content?: ContentOptions;
  /** How many layers are read at once. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ScanProgress) => void;
}

/**
 * Reads all layers of an image, those in the cache not again. A layer that passes a limit is described as a problem; a
 * layer that is torn or not what its digest says ends the scan.
 *
 * @throws what the image source throws for a layer that cannot be had or trusted
 */
export async function readLayers(image: OpenedImage, options: ReadOptions): Promise<readonly LayerReport[]> {
  const set = scannerSet(options.content);
  const reports = new Map<string, LayerReport>();
  const missing: LayerDescriptor[] = [];
  let layersCached = 0;
  for (const layer of image.layers) {
    const key = identityOf(layer);
    if (reports.has(key) || missing.some((other) => identityOf(other) === key)) continue;
    const cached = layer.diffId === "" ? undefined : await options.cache?.get(layer.diffId, set.key);
    if (cached === undefined) missing.push(layer);
    else {
      reports.set(key, cached);
      layersCached++;
    }
  }
  const track = progressTracker(options, reports.size + missing.length, layersCached, missing);
  const scratch = sharedScratch();
  const abort = new AbortController();
  const signal = options.signal === undefined ? abort.signal : AbortSignal.any([abort.signal, options.signal]);
  await mapBounded(missing, options.concurrency ?? DEFAULT_LAYER_CONCURRENCY, async (layer) => {
    try {
      const report = await readLayer(image, layer, set, scratch, signal, track.bytes);
      if (isWhole(report, layer)) await options.cache?.put(set.key, report);
      reports.set(identityOf(layer), report);
      track.layer();
    } catch (error) {
      abort.abort(error); // the other layers need not be read any further
      throw error;
    }
  });
  return image.layers.map((layer) => reports.get(identityOf(layer)) ?? unreadLayer("it was not read"));
}

/** Layers without a diffID are told apart by their place alone. */
function identityOf(layer: LayerDescriptor): string {
  return layer.diffId === "" ? `#${layer.index}` : layer.diffId;
}

/** Only what was read completely, from bytes that gave the promised diffID, may serve other images. */
function isWhole(report: LayerReport, layer: LayerDescriptor): boolean {
  return layer.diffId !== "" && report.diffId === layer.diffId && !layer.foreign;
}

async function readLayer(
  image: OpenedImage,
  layer: LayerDescriptor,
  set: ScannerSet,
  scratch: SharedScratch,
  signal: AbortSignal,
  onBytes: (index: number, bytes: number) => void,
): Promise<LayerReport> {
  if (layer.foreign) return unreadLayer("the layer is not in the registry: it is a foreign layer");
  const keep = set.scanners.length + set.remote.length > 0;
  try {
    return await analyzeLayer(
      (visit, pass) =>
        image.readLayer(layer.index, visit, { ...pass, keep, signal, onBytes: (bytes) => onBytes(layer.index, bytes) }),
      set,
      scratch.forLayer(),
    );
  } catch (error) {
    if (error instanceof CodedError && error.code === "LAYER_LIMIT") return unreadLayer(error.message);
    throw error;
  } finally {
    await image.forgetLayer(layer.index);
  }
}

function unreadLayer(what: string): LayerReport {
  const nothing = pathListWriter().finish();
  const problems = [{ path: "", what: `layer not scanned: ${what}` }];
  return {
    diffId: "",
    files: [],
    whiteouts: [],
    opaque: [],
    problems,
    entries: 0,
    bytes: 0,
    paths: nothing,
    owned: nothing,
    recorded: nothing,
    digests: nothing,
  };
}

function progressTracker(
  options: ReadOptions,
  layers: number,
  layersCached: number,
  missing: readonly LayerDescriptor[],
): { bytes(index: number, bytes: number): void; layer(): void } {
  const bytesTotal = missing.reduce((sum, layer) => sum + layer.size, 0);
  const bytesOf = new Map<number, number>();
  let layersDone = layersCached;
  const tell = () => {
    const bytesRead = [...bytesOf.values()].reduce((sum, bytes) => sum + bytes, 0);
    options.onProgress?.({ layersDone, layers, layersCached, bytesRead, bytesTotal });
  };
  return {
    bytes(index, bytes) {
      bytesOf.set(index, bytes);
      tell();
    },
    layer() {
      layersDone++;
      tell();
    },
  };
}

async function mapBounded<Item>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
