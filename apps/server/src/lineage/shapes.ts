import { Type } from "typebox";
import { ImageItemShape } from "../images/shapes.ts";
import { List } from "../list.ts";

const Count = Type.Integer({ minimum: 0 });
const Nullable = <Shape extends Parameters<typeof Type.Union>[0][number]>(shape: Shape) =>
  Type.Union([shape, Type.Null()]);

export const NodeShape = Type.Object({
  id: Type.Integer({ description: "id of the node's chain of layers" }),
  chain: Type.String({ description: "ChainID of its layers" }),
  kind: Type.Enum(["known", "deleted", "anonymous", "cache"]),
  layers: Count,
  below: Nullable(Type.Integer()),
  how: Type.Enum(["none", "layers", "declared"]),
  claim: Type.Enum(["none", "agrees", "used", "contradicted", "unresolved", "cyclic"]),
  images: Count,
  live: Count,
  beneath: Type.Integer({ minimum: 0, description: "living images that stand on it" }),
  children: Count,
  repository: Nullable(Type.String()),
  image: Nullable(ImageItemShape),
});

const Share = { bases: Count, images: Count };
const Coverage = Type.Object({
  images: Count,
  bases: Count,
  reached: List(Type.Object({ percent: Type.Number(), bases: Count })),
  points: List(Type.Object({ bases: Count, images: Count })),
});
const Top = List(Type.Object({ id: Type.Integer(), images: Count, node: Nullable(NodeShape) }));

export const SpreadShape = Type.Object({
  measuredAt: Type.String(),
  images: Count,
  standing: Count,
  bottom: Count,
  isolated: Count,
  layerless: Count,
  roots: Count,
  bases: Count,
  indirect: Count,
  byRoot: Coverage,
  byBase: Coverage,
  flawed: Type.Object({
    critical: Type.Object(Share),
    high: Type.Object(Share),
    medium: Type.Object(Share),
    low: Type.Object(Share),
    any: Type.Object(Share),
  }),
  ages: List(Type.Object({ ...Share, days: Type.Union([Type.Integer(), Type.String()]) })),
  depths: List(Count),
  degrees: List(Count),
  topRoots: Top,
  topBases: Top,
});

export const StandingShape = Type.Object({
  images: Count,
  repositories: Count,
  containers: Count,
  owners: List(Type.Object({ id: Nullable(Type.Integer()), name: Type.String(), images: Count })),
});

export const MEASURES = ["critical", "high", "exploited", "risk"] as const;

export const PlanShape = Type.Object({
  total: Type.Number(),
  cleared: Type.Number(),
  cost: Type.Number(),
  images: Count,
  reached: Type.Boolean(),
  stepCount: Count,
  bound: Type.Object({
    kind: Type.Enum(["cost", "cleared"]),
    guaranteed: Type.Number(),
    least: Type.Optional(Type.Number()),
    most: Type.Optional(Type.Number()),
    factor: Type.Number(),
  }),
  steps: List(
    Type.Object({
      nodes: List(Type.Integer()),
      cost: Type.Number(),
      gain: Type.Number(),
      cleared: Type.Number(),
      share: Type.Number(),
      images: Count,
      repositoryId: Nullable(Type.Integer()),
      node: Nullable(NodeShape),
      /** Rebuild the base, or fix what the images of one repository add themselves. */
      action: Type.Enum(["rebuild-base", "fix-own"]),
    }),
  ),
});

const Owner = Nullable(Type.Object({ id: Type.Integer(), name: Type.String() }));
export const OwnerAnswer = Type.Object({
  digest: Type.String(),
  reference: Type.String(),
  owner: Owner,
  grade: Nullable(Type.String()),
  stages: List(
    Type.Object({
      id: Type.Integer(),
      kind: Type.Enum(["known", "deleted", "anonymous", "cache"]),
      live: Count,
      reference: Nullable(Type.String()),
      owner: Owner,
    }),
  ),
});
