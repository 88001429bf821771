export {
  adviseBase,
  type BaseAdvice,
  type BaseCandidate,
  type BaseNeed,
  type Misfit,
  type Runtime,
} from "./advise-base.ts";
export { buildForest } from "./build-forest.ts";
export { MAX_LAYERS } from "./chain-order.ts";
export { COVERAGE_PERCENTS, type Coverage, MAX_CURVE_POINTS } from "./coverage.ts";
export { LineageError, type LineageErrorCode } from "./errors.ts";
export {
  BASE_HOWS,
  type BaseHow,
  type ChainColumns,
  CLAIMS,
  type Claim,
  DECLARED_UNKNOWN,
  type Forest,
  type ForestImages,
  type ImageColumns,
  NO_REPOSITORY,
  NODE_KINDS,
  NOT_DECLARED,
  type NodeKind,
  SEVERAL_REPOSITORIES,
} from "./forest.ts";
export { AGE_DAYS, measureSpread, type Share, type Spread, type SpreadFacts } from "./measure-spread.ts";
export { type FixPlan, type PlanBound, type PlanGoal, type PlanStep, planFixes } from "./plan-fixes.ts";
export type { PlanInput, RiskColumns } from "./plan-input.ts";
export { type KeptColumns, restoreForest } from "./restore-forest.ts";
export { type Move, type MoveEffect, simulateMove } from "./simulate-move.ts";
export { pathOf, type Stage, type StageVerdict, stageOf, verdictOf } from "./stage.ts";
export { type Successor, successorOf, type TagState } from "./successor.ts";
export { type RiskChanges, type TracedRisks, traceRisks } from "./trace-risks.ts";
