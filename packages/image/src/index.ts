export type { Healthcheck, HistoryEntry, ImageConfig } from "./config.ts";
export { type ImageErrorCode, isImageError } from "./errors.ts";
export type { LayerSummary, ReadLayerOptions } from "./layer/read-layer.ts";
export { DEFAULT_LAYER_CONCURRENCY, DEFAULT_LIMITS, type Limits } from "./limits.ts";
export { openImage } from "./open-image.ts";
export type { OpenOptions } from "./open-options.ts";
export type { LayerDescriptor, OpenedImage } from "./opened-image.ts";
export { formatReference, type ImageReference, parseReference } from "./reference.ts";
export { TarReader, type TarReaderOptions } from "./tar/tar-reader.ts";
