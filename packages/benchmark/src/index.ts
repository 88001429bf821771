export type { ConfigDocument, ConfigReader, Directive } from "./app/document.ts";
export { CONFIG_READERS } from "./app/readers.ts";
export { createAppConfigScanner } from "./app/scanner.ts";
export type { Check, CheckSample, CheckSubject } from "./check.ts";
export { type FixResult, fixDockerfile } from "./dockerfile/fix.ts";
export { type DockerfileFact, type LintResult, lintDockerfile, type SuppressedFact } from "./dockerfile/lint.ts";
export type { LintOptions } from "./dockerfile/subject.ts";
export { BenchmarkError, type BenchmarkErrorCode } from "./errors.ts";
export type { ImageFact } from "./evaluate.ts";
export { checkImage, type ImageCheckResult } from "./image/check-image.ts";
export { wantsPath } from "./image/interesting-paths.ts";
export {
  type BaseReference,
  EMPTY_IMAGE,
  type HistoryEntry,
  type ImageConfig,
  type ImageSubject,
  type SubjectFile,
  type SubjectLayer,
  type SubjectPackage,
} from "./image/subject.ts";
export { readChecks } from "./read-checks.ts";
