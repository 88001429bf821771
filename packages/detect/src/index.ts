export { type Alert, alertKey } from "./alert.ts";
export { type AllowEntry, allowConditionFor, compileScope, EVERYWHERE, type RuleScope } from "./allow-list.ts";
export { TACTICS, type Tactic, type Technique, tacticsOf, techniquesOf } from "./attack.ts";
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
export { loadRules, type Rule, type RuleReport, type RuleSet, type RuleState } from "./rule-set.ts";
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
