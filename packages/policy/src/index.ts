export {
  type BaseStanding,
  type GoldenState,
  isPublicRegistry,
  type PathBase,
  standingOnPath,
} from "./base-standing.ts";
export { boundExpression, compileBounded, isNode, listed, type Meter, type Node } from "./bounded.ts";
export {
  type Assessment,
  assess,
  assessBase,
  type BuildFacts,
  type BuildRule,
  type BuildRules,
  type BuildViolation,
  COUNT_NAMES,
  readBuildRules,
} from "./build-rules.ts";
export { type Condition, compileCondition } from "./condition.ts";
export { PolicyError, type PolicyErrorCode } from "./errors.ts";
export { appliesTo, type Judgeable, judge, type PolicySubject } from "./evaluate.ts";
export { applyFindingRules } from "./finding-rules.ts";
export { matchesGlob } from "./glob.ts";
export type { Policy, PolicyRule, Waiver } from "./policy.ts";
export { readPolicy } from "./read-policy.ts";
export { applyVex, readVex, type VexStatement } from "./vex.ts";
export { applyWaivers, type Parted } from "./waive.ts";
