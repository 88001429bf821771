export { type Alert, alertKey } from "./alert.ts";
export {
  type AllowableEvent,
  type AllowEntry,
  allowConditionFor,
  compileScope,
  EVERYWHERE,
  type RuleScope,
} from "./allow-list.ts";
export { TACTICS, type Tactic, type Technique, tacticsOf, techniquesOf } from "./attack.ts";
export { type AuditAddressBook, type AuditPod, auditAddressBook, EMPTY_ADDRESS_BOOK } from "./audit/address-book.ts";
export {
  type AllowableRequest,
  type AuditAllowEntry,
  type AuditAllowList,
  type AuditScope,
  auditAllowConditionFor,
  compileAuditAllowList,
  compileAuditFilter,
  EVERY_REQUEST,
} from "./audit/audit-allow-list.ts";
export { type AuditAlert, type AuditDetectorOptions, type AuditEngine, auditDetector } from "./audit/audit-detector.ts";
export { AUDIT_DETECTORS } from "./audit/audit-detectors.ts";
export { AUDIT_FIELDS, UNSUPPORTED_AUDIT_FIELDS } from "./audit/audit-fields.ts";
export { AUDIT_SOURCE, type AuditRule } from "./audit/audit-rule.ts";
export { auditTimeUs, readAuditEvent, serviceAccountOf, storedAuditEvent } from "./audit/read-audit-event.ts";
export { createDetector, type Detector, type DetectorOptions } from "./detector.ts";
export { DetectError, type DetectErrorCode } from "./errors.ts";
export type { Field } from "./fields/field.ts";
export { FIELDS } from "./fields/table.ts";
export { UNSUPPORTED_FIELDS } from "./fields/unsupported.ts";
export { compileFilter, type Filter } from "./filter.ts";
export type { Repeat } from "./fold.ts";
export {
  createIndicatorMatcher,
  type Indicator,
  type IndicatorHit,
  type IndicatorKind,
  type IndicatorMatcher,
  readIndicators,
} from "./indicators.ts";
export type { Place } from "./language/condition.ts";
export type { RuleProblem } from "./language/definitions.ts";
export type { RuleFile } from "./language/read-rules.ts";
export { visible } from "./output/visible.ts";
export { PRIORITIES, type Priority, severityOf } from "./priority.ts";
export { redactArguments } from "./redact-arguments.ts";
export {
  loadRules,
  type Rule,
  type RuleDescription,
  type RuleReport,
  type RuleSet,
  type RuleState,
} from "./rule-set.ts";
export { blockFor } from "./sensor-policy/blocks.ts";
export type {
  BlockAction,
  Blockability,
  EventSelection,
  PathPattern,
  PathPatternKind,
} from "./sensor-policy/policy.ts";
export { neededSelections } from "./sensor-policy/selections.ts";
export { STATEFUL_DETECTORS } from "./stateful/registry.ts";
export { buildStory } from "./story/build-story.ts";
export type { Story, StoryEdge, StoryNode, StoryNodeKind, StoryStep } from "./story/story.ts";
export { storyHtml, storySvg } from "./story/story-html.ts";
export { storyText } from "./story/story-text.ts";
