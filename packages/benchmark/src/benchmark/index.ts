export {
  BENCHMARK_SUBJECTS,
  type BenchmarkCheck,
  type BenchmarkSubject,
  type FactKind,
  type FixSpec,
  factKindOf,
  type ParameterValue,
  STANDARDS,
  type Standard,
} from "./check.ts";
export { compileFactRequest, type FactRequest, type ProbeRequest } from "./fact-request.ts";
export {
  CLUSTER_LISTS,
  type ClusterFacts,
  type ClusterList,
  type ContainerFacts,
  type GatheredFacts,
  type GatheredFile,
  type GatheredPackage,
  type GatheredProcess,
  NO_FACTS,
  type ReadState,
} from "./facts.ts";
export {
  type BenchmarkFacts,
  type Judgement,
  judge,
  NO_TUNING,
  type Outcome,
  type Place,
  type Tuning,
} from "./judge.ts";
export { type BenchmarkProfile, checksOf, readProfiles, readTechniques } from "./profiles.ts";
export { readBenchmarks } from "./read-benchmarks.ts";
export { type Score, scoreOf } from "./score.ts";
