export { StoreError, type StoreErrorCode } from "./errors.ts";
export { type AppliedMatches, applyMatches, type StoredSubject, subjectsToMatch } from "./images/apply-matches.ts";
export { getImage, type ImageDetail, type ImageLayer } from "./images/get-image.ts";
export { type FindingFilter, type ImageFinding, imageFindings } from "./images/image-findings.ts";
export { type Counts, type ImageItem, imageItems } from "./images/image-items.ts";
export { type ImagePackage, imagePackageFacts, imagePackages, type PackageFilter } from "./images/image-packages.ts";
export { type IngestOptions, ingestImage } from "./images/ingest.ts";
export { knownChains } from "./images/known-chains.ts";
export {
  countImages,
  IMAGE_SORTS,
  type ImageFilter,
  type ImagePage,
  type ImageSort,
  listImages,
} from "./images/list-images.ts";
export { type PlaceChange, setPlace } from "./images/set-place.ts";
export type { Sight } from "./images/visible.ts";
export { loadLayerReport, saveLayerReport } from "./layers/layer-reports.ts";
export {
  connectionOf,
  openStore,
  type Store,
  type StoreOptions,
  type SystemQueries,
  type TenantQueries,
} from "./open-store.ts";
export type { Database, NewRow, Row, RowChange } from "./schema.ts";
export { type FoundSubject, subjectsByName, subjectsByVulnerability } from "./search/find-subjects.ts";
export { type Located, locateSubjects } from "./search/locate-subjects.ts";
