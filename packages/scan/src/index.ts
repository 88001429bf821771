export type { KnownBase } from "./base-image.ts";
export { ScanError, type ScanErrorCode } from "./errors.ts";
export type { FoundPackage } from "./found-package.ts";
export { type LayerCache, openLayerCache } from "./layer-cache.ts";
export type { ScanProgress } from "./progress.ts";
export { scanSbom } from "./sbom/scan-sbom.ts";
export { type ScanOptions, type ScanResult, scanImage, type UnjudgedReport } from "./scan-image.ts";
export { summarize } from "./summarize.ts";
