export { type HeldPower, type Power, powersOf } from "./access/powers.ts";
export { type Access, type AccessRule, readAccess, serviceAccount } from "./access/rules.ts";
export {
  type AdmissionBundle,
  BREAK_GLASS_ANNOTATION,
  type Brake,
  EMPTY_BUNDLE,
  type Exception,
  type Grant,
  type MutationSettings,
  NO_MUTATION,
} from "./admission/bundle.ts";
export { type CompiledBundle, compileBundle } from "./admission/compile-bundle.ts";
export { AdmissionError, type AdmissionErrorCode } from "./admission/errors.ts";
export { type ExportedPolicy, exportPolicy } from "./admission/export-vap.ts";
export { exposedSelectors } from "./admission/exposed-selectors.ts";
export {
  FACT_COUNTS,
  type FactCount,
  type FactFinding,
  type FactsAnswer,
  type ImageFacts,
  type NamespaceFacts,
  type SignatureState,
  UNKNOWN_NAMESPACE,
  unknownImage,
} from "./admission/facts.ts";
export { type Judgement, judge, nameOf as nameOfRequest, UNTOUCHED, type Violation } from "./admission/judge.ts";
export { clean } from "./admission/message.ts";
export { mistakesIn } from "./admission/mistakes.ts";
export { mutate, type PatchOperation } from "./admission/mutate.ts";
export { type Pod, podOf } from "./admission/pod.ts";
export { type AdmissionPolicy, MODES, type Mode } from "./admission/policy.ts";
export { readAdmissionPolicy } from "./admission/read-policy.ts";
export { fullReference, type SplitReference, splitReference } from "./admission/reference.ts";
export { answerTo, patchAnswer, type ReviewAnswer, refusal } from "./admission/respond.ts";
export { type AdmissionRequest, MAX_REVIEW_BYTES, readReview } from "./admission/review.ts";
export { type BaselineScope, type Learned, proposePolicy } from "./baseline/propose-policy.ts";
export { TRAIT_KINDS, type Trait, type TraitKind, traitsOf } from "./baseline/traits.ts";
export { type ExposedBy, findExposure, type Target } from "./exposure/exposure.ts";
export { fitObject, MAX_OBJECT_BYTES } from "./objects/fit-object.ts";
export { type Json, type KubeObject, nameOf } from "./objects/kube-object.ts";
export {
  type ContainerRole,
  containersOf,
  POD_KINDS,
  type PodTemplate,
  podTemplateOf,
} from "./objects/pod-template.ts";
export {
  type Controller,
  controllerOf,
  type PodContainer,
  podAddressesOf,
  podContainers,
} from "./objects/pods.ts";
export { pruneObject, type Redact } from "./objects/prune.ts";
export { isTrueAt, labelsAt, mapAt, mapsAt, numberAt, textAt, textsAt } from "./objects/read.ts";
export {
  type AttackPath,
  findAttackPaths,
  type PathStep,
  type PathTarget,
  type PathWorkload,
} from "./paths/attack-paths.ts";
export { type Escape, findEscapes } from "./paths/escapes.ts";
