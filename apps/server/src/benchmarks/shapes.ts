import { BENCHMARK_SUBJECTS } from "@bulwark/benchmark/benchmark";
import { Type } from "typebox";
import { Id } from "../id.ts";
import { List } from "../list.ts";

export const Text = Type.String();
export const MaybeText = Type.Union([Text, Type.Null()]);
export const MaybeId = Type.Union([Type.Integer(), Type.Null()]);
export const OUTCOMES = ["pass", "fail", "manual", "not-applicable", "undetermined"] as const;
export const CheckId = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: "^[a-z0-9-]+$",
  description: "id of a check",
});
export const Profile = Type.String({
  minLength: 1,
  maxLength: 60,
  default: "recommended",
  description: "id of a profile",
});

export const CheckShape = Type.Object({
  id: Text,
  title: Text,
  severity: Text,
  description: Text,
  subject: Type.Enum([...BENCHMARK_SUBJECTS]),
  level: Type.Integer(),
  advice: Text,
  impact: Text,
  parameters: Type.Record(Text, Type.Unknown()),
  references: Type.Record(Text, List(Text)),
  fix: Type.Union([Type.Record(Text, Type.Unknown()), Type.Null()]),
});

export const ProfileShape = Type.Object({ id: Text, title: Text, description: Text, checks: Type.Integer() });

export const Counts = Type.Record(Text, Type.Integer());
export const Score = Type.Union([Type.Integer({ minimum: 0, maximum: 100 }), Type.Null()]);

export const PlaceShape = Type.Object({
  nodeId: MaybeId,
  clusterId: MaybeId,
  name: Text,
  targetId: Type.Integer(),
  profile: Text,
  score: Score,
  counts: Counts,
  judgedAt: Text,
  trouble: Type.String({ description: "why a newer try gave nothing" }),
  trend: List(Type.Object({ at: Text, score: Score })),
});

export const RunShape = Type.Object({
  id: Type.Integer(),
  profile: Text,
  cause: Type.Enum(["person", "schedule", "fix"]),
  createdBy: Text,
  createdAt: Text,
  targets: Type.Integer(),
  done: Type.Integer(),
  failed: Type.Integer(),
  finishedAt: MaybeText,
  score: Score,
});

export const TargetShape = Type.Object({
  id: Type.Integer(),
  runId: Type.Integer(),
  nodeId: MaybeId,
  clusterId: MaybeId,
  name: Text,
  profile: Text,
  state: Type.Enum(["queued", "sent", "done", "failed", "expired"]),
  detail: Text,
  createdAt: Text,
  finishedAt: MaybeText,
  score: Score,
  counts: Counts,
  wallUs: MaybeId,
  cpuUs: MaybeId,
});

export const ResultShape = Type.Object({
  targetId: Type.Integer(),
  nodeId: MaybeId,
  clusterId: MaybeId,
  place: Text,
  at: Text,
  check: Text,
  title: Text,
  subject: Text,
  severity: Text,
  outcome: Type.Enum([...OUTCOMES]),
  evidence: Text,
  judged: Type.Integer(),
  faulty: Type.Integer(),
  places: List(Type.Record(Text, Type.Unknown())),
  exceptionId: MaybeId,
  advice: Text,
  impact: Text,
  fixable: Type.Boolean(),
});

export const ScopeFields = {
  scope: Type.Enum(["tenant", "node", "cluster", "namespace"]),
  scopeId: Type.Optional({ ...Id, description: "of the node or the cluster" }),
  namespace: Type.Optional(Type.String({ maxLength: 253, description: "of the scope namespace" })),
};

export const SectionShape = Type.Object({
  section: Text,
  state: Type.Enum(["met", "not-met", "undetermined", "by-people", "not-judged"]),
  checks: List(Text),
  pass: Type.Integer(),
  fail: Type.Integer(),
  undetermined: Type.Integer(),
  excepted: Type.Integer(),
  manual: Type.Integer(),
});
