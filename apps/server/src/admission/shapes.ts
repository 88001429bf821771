import { Type } from "typebox";
import { List } from "../list.ts";

const Text = Type.String();
const Time = Type.Union([Text, Type.Null()]);
const Named = Type.Object({ id: Type.Integer(), name: Text });
const ClusterName = Type.Union([Named, Type.Null()], { description: "null: all clusters" });

export const ModeEnum = Type.Enum(["off", "audit", "enforce"]);
export const Namespace = Type.String({
  pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
  maxLength: 63,
  examples: ["shop"],
  description: "the name itself, never a pattern",
});
export const Glob = Type.String({ minLength: 1, maxLength: 300, pattern: "^[^\\u0000-\\u001f]+$" });
export const Reason = Type.String({ minLength: 1, maxLength: 2_000 });
export const PolicyName = Type.String({ pattern: "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", maxLength: 63 });

const ChosenModeShape = Type.Object({
  cluster: ClusterName,
  namespace: Type.String({ description: "empty: all namespaces" }),
  mode: ModeEnum,
  changedBy: Text,
  changedAt: Text,
});
const CountsShape = Type.Object({
  asked: Type.Integer({ description: "requests that it looked at" }),
  wouldDeny: Type.Integer({ description: "requests that it would have denied had it been enforced" }),
  denied: Type.Integer(),
  excepted: Type.Integer({ description: "requests that an exception let pass" }),
});

export const PolicyShape = Type.Object({
  id: Type.Union([Type.Integer(), Type.Null()], { description: "null for one that is shipped" }),
  name: Text,
  title: Text,
  description: Text,
  category: Text,
  source: Type.Enum(["shipped", "own"]),
  version: Type.Integer({ description: "0 for one that is shipped" }),
  changedBy: Text,
  changedAt: Time,
  mode: ModeEnum,
  declaredMode: Type.Enum(["off", "audit", "enforce"], { description: "where nobody chose one" }),
  modes: Type.Array(ChosenModeShape, {
    description:
      "of single clusters and namespaces: a namespace's in one cluster goes before the namespace's, that before the cluster's",
  }),
  onError: Type.Enum(["deny", "allow"]),
  unknown: Type.Enum(["allow", "audit", "deny"], { description: "what happens with images that nobody scanned" }),
  exportable: Type.Boolean({ description: "Kubernetes can judge by it without Bulwark" }),
  rules: Type.Array(Type.Object({ id: Text, on: Text, title: Text, deny: Text, message: Text })),
  counts: CountsShape,
  observedSince: Type.Union([Text, Type.Null()], { description: "since when its mode holds, or it was first counted" }),
});

export const PolicyDetailShape = Type.Object({
  ...PolicyShape.properties,
  content: Text,
  versions: Type.Array(Type.Object({ version: Type.Integer(), content: Text, changedBy: Text, changedAt: Text })),
  byNamespace: Type.Array(Type.Object({ namespace: Text, ...CountsShape.properties })),
});

export const ExceptionShape = Type.Object({
  id: Type.Integer(),
  cluster: ClusterName,
  policy: Text,
  rule: Type.String({ description: "empty: all rules of the policy" }),
  namespace: Text,
  object: Text,
  image: Text,
  reason: Text,
  until: Text,
  askedBy: Named,
  approver: Type.Union([Named, Type.Null()], { description: "it counts once somebody approved" }),
  createdAt: Text,
});

export const BrakeShape = Type.Object({
  id: Type.Integer(),
  kind: Type.Enum(["flaw", "package", "digest"]),
  pattern: Text,
  reason: Text,
  denyUnknown: Type.Boolean(),
  createdBy: Text,
  createdAt: Text,
  releasedBy: Text,
  releasedAt: Time,
});

export const GrantShape = Type.Object({
  id: Type.Integer(),
  cluster: ClusterName,
  user: Text,
  namespace: Text,
  reason: Text,
  until: Text,
  passesBrake: Type.Boolean(),
  byCode: Type.Boolean({ description: "the annotation bulwark.dev/break-glass has to hold its code" }),
  grantedBy: Text,
  createdAt: Text,
  endedAt: Time,
  used: Type.Integer({ description: "requests that it let pass" }),
  lastUsedAt: Time,
});

export const DecisionShape = Type.Object({
  id: Type.Integer(),
  cluster: ClusterName,
  firstAt: Text,
  lastAt: Text,
  count: Type.Integer(),
  namespace: Text,
  kind: Text,
  name: Text,
  subResource: Text,
  operation: Text,
  user: Text,
  dryRun: Type.Boolean(),
  verdict: Type.String({ description: "allowed, audited, denied or broken-glass" }),
  wouldDeny: Type.Boolean(),
  violations: List(
    Type.Object({ policy: Text, rule: Text, mode: Text, message: Text, container: Text, image: Text, exception: Text }),
  ),
  more: Type.Integer(),
  grant: Text,
  unknown: List(Text),
  tookMs: Type.Integer(),
});

const Flag = Type.Boolean();
export const SettingsShape = Type.Object(
  {
    mutation: Type.Object(
      { pinDigests: Flag, defaultSeccomp: Flag, withholdTokens: Flag },
      { additionalProperties: false },
    ),
    signature: Type.Object(
      {
        policy: Type.String({
          maxLength: 256 * 1024,
          description: "signature policy (YAML); empty: signatures are not checked",
        }),
        keys: Type.Array(
          Type.Object(
            { name: Type.String({ minLength: 1, maxLength: 200 }), pem: Type.String({ maxLength: 20_000 }) },
            { additionalProperties: false },
          ),
          { maxItems: 100, description: "public keys, by the file names under which the policy names them" },
        ),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
