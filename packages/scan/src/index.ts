export type { KnownBase } from "./base-image.ts";
export { type ChainStates, collectFacts, type FactOptions, keepChainStates } from "./collect-facts.ts";
export { type DeniedComponent, readDenyList } from "./components/deny-list.ts";
export type { ComponentLists } from "./components/judge-components.ts";
export { type KnownNames, readNames } from "./components/look-alikes.ts";
export { ScanError, type ScanErrorCode } from "./errors.ts";
export type { FoundPackage } from "./found-package.ts";
export type { ImageInspection } from "./inspect-image.ts";
export {
  type ConfigReports,
  decodeLayerReport,
  encodeLayerReport,
  type LayerCache,
  type LayerReports,
  openLayerCache,
} from "./layer-cache.ts";
export { lazyScanner } from "./lazy-scanner.ts";
export type { ScanProgress } from "./progress.ts";
export { scanSbom } from "./sbom/scan-sbom.ts";
export { type ScanOptions, type ScanResult, scanImage, type UnjudgedReport } from "./scan-image.ts";
export type { ContentOptions } from "./scanner-set.ts";
export { summarize } from "./summarize.ts";
