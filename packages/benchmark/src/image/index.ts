export type { Check } from "../check.ts";
export { readChecks } from "../read-checks.ts";
export { checkImage, type ImageCheckResult } from "./check-image.ts";
export { wantsPath } from "./interesting-paths.ts";
export {
  type BaseReference,
  EMPTY_IMAGE,
  type HistoryEntry,
  type ImageConfig,
  type ImageSubject,
  type SubjectFile,
  type SubjectLayer,
  type SubjectPackage,
} from "./subject.ts";
