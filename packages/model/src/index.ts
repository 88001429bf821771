export type { AdvisoryMatch } from "./advisory-match.ts";
export type { AnalyzedFile, Analyzer, AnalyzerTools, FileFacts, RecordedFile } from "./analyzer.ts";
export type { AuditEvent, AuditObject, AuditStatus, AuditUser, Omitted } from "./audit-event.ts";
export { CodedError } from "./coded-error.ts";
export {
  type ContentFact,
  type ContentFacts,
  type ContentFile,
  type ContentHead,
  type ContentKind,
  type ContentScanner,
  type RemoteScanner,
  wholeFile,
} from "./content.ts";
export { EMPTY_CONTAINER, EMPTY_EVENT, EMPTY_PROCESS } from "./empty-runtime-event.ts";
export type { BaseImage, Image, Layer, OperatingSystem, Origin } from "./image.ts";
export type { ChainFacts, Change, ContentRecord, ImageFacts, PackageRecord } from "./image-facts.ts";
export type { ContentSink, EntryKind, EntryVisitor, LayerEntry } from "./layer-entry.ts";
export type { FileReport, LayerReport } from "./layer-report.ts";
export { bareCapability, LINUX_CAPABILITIES } from "./linux-capabilities.ts";
export { NODE_PLACES, NODE_PLACES_AS_WHOLE } from "./node-places.ts";
export type { Package, PackageFact, PackageType } from "./package.ts";
export type {
  Cvss,
  DatabaseInfo,
  Evidence,
  ExploitPrediction,
  Finding,
  FindingKind,
  FixStatus,
  KnownExploited,
  Problem,
  ScannerName,
  ScanReport,
  SeverityCounts,
  Summary,
  SuppressedFinding,
  Verdict,
  VerifiedSignature,
  Violation,
} from "./report.ts";
export {
  RUNTIME_EVENT_TYPES,
  type RuntimeContainer,
  type RuntimeEvent,
  type RuntimeEventType,
  type RuntimeMount,
  type RuntimeProcess,
  type StdioKind,
} from "./runtime-event.ts";
export type { Severity } from "./severity.ts";
export { SEVERITIES, severityRank } from "./severity.ts";
export { type Fields, fieldsOf, listOf, textOf } from "./untrusted.ts";
export type { AdvisorySubject, EcosystemCatalog, VersionScheme } from "./version.ts";
