import { type TSchema, Type } from "typebox";
import { List } from "../list.ts";

const Text = Type.String();
const Count = Type.Integer({ minimum: 0 });
export const Nullable = <Shape extends TSchema>(shape: Shape) => Type.Union([shape, Type.Null()]);
const Person = Type.Object({ id: Type.Integer(), name: Text });

const VERSION_STATES = ["published", "at-risk", "deprecated", "revoked"] as const;
export const GOLDEN_STATES = ["proposed", "approved", ...VERSION_STATES] as const;
const VersionState = Type.Enum([...VERSION_STATES]);

const ViolationShape = Type.Object({
  policy: Text,
  rule: Text,
  level: Type.Enum(["deny", "warn"]),
  message: Text,
});

export const GoldenShape = Type.Object({
  id: Type.Integer(),
  repository: Type.Object({ id: Type.Integer(), name: Text, registry: Text }),
  digest: Type.String({ description: "one image alone; empty for whatever the repository's tags name" }),
  purpose: Text,
  owner: Nullable(Person),
  state: Type.Enum([...GOLDEN_STATES]),
  proposedBy: Person,
  proposedAt: Text,
  approvedBy: Nullable(Person),
  approvedAt: Nullable(Text),
  successor: Nullable(Type.Object({ id: Type.Integer(), repository: Text, registry: Text })),
  reason: Text,
  versions: Type.Object({ published: Count, "at-risk": Count, deprecated: Count, revoked: Count }),
  latest: Nullable(
    Type.Object({ id: Type.Integer(), tag: Text, digest: Text, state: VersionState, publishedAt: Text }),
  ),
  consumers: Type.Integer({ minimum: 0, description: "living images that stand on its versions" }),
});

const VersionShape = Type.Object({
  id: Type.Integer(),
  goldenId: Type.Integer(),
  imageId: Type.Integer(),
  digest: Text,
  chain: Text,
  layers: Count,
  platform: Text,
  tag: Text,
  description: Text,
  state: VersionState,
  previousId: Nullable(Type.Integer()),
  publishedBy: Text,
  publishedAt: Text,
  changedAt: Text,
  reason: Text,
  passed: Nullable(Type.Boolean()),
  violations: List(ViolationShape),
  consumers: Count,
});

const CandidateShape = Type.Object({
  imageId: Type.Integer(),
  digest: Text,
  tag: Text,
  platform: Text,
  isScanned: Type.Boolean(),
  versionId: Nullable(Type.Integer()),
  passed: Type.Union([Type.Boolean(), Type.Null()], { description: "null until it is assessed" }),
  violations: List(ViolationShape),
});

const ConsumerShape = Type.Object({
  id: Nullable(Type.Integer()),
  name: Text,
  images: Count,
  repositories: Count,
});

export const GoldenDetailShape = Type.Object({
  golden: GoldenShape,
  versions: List(VersionShape),
  candidates: List(CandidateShape),
  consumers: List(ConsumerShape),
  history: List(
    Type.Object({
      id: Type.Integer(),
      versionId: Nullable(Type.Integer()),
      at: Text,
      actor: Text,
      action: Text,
      detail: Text,
    }),
  ),
});

const PackageChange = Type.Object({ type: Text, name: Text, from: Text, to: Text });
const FindingChange = Type.Object({ id: Text, severity: Text, package: Text, fixedVersion: Text });

export const DiffShape = Type.Object({
  from: Nullable(VersionShape),
  to: VersionShape,
  added: List(PackageChange),
  removed: List(PackageChange),
  changed: List(PackageChange),
  findingsGone: List(FindingChange),
  findingsNew: List(FindingChange),
  sizeBytes: Type.Object({ from: Type.Integer(), to: Type.Integer() }),
  cut: Type.Boolean({ description: "whether lists were cut" }),
});

const PathBaseShape = Type.Object({
  chain: Text,
  layers: Count,
  reference: Text,
  digest: Text,
  tags: List(Text),
  golden: Nullable(VersionState),
  goldenId: Nullable(Type.Integer()),
  versionId: Nullable(Type.Integer()),
});

const BaseShape = Type.Object({
  state: Type.Enum(["golden", "at-risk", "deprecated", "revoked", "unapproved", "none"]),
  reference: Text,
  digest: Text,
  chain: Text,
  layers: Count,
  pinned: Type.Boolean(),
  public: Type.Boolean(),
});

export const CheckShape = Type.Object({
  passed: Type.Boolean(),
  violations: List(ViolationShape),
  base: BaseShape,
  path: List(PathBaseShape),
  rulesVersion: Text,
});

export const AssessmentShape = Type.Object({
  passed: Nullable(Type.Boolean()),
  violations: List(ViolationShape),
  rulesVersion: Text,
  assessedAt: Nullable(Text),
  baseState: Text,
  path: List(PathBaseShape),
});
