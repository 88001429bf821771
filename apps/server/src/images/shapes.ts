import { SEVERITIES } from "@bulwark/model";
import { type TSchema, Type } from "typebox";
import { List } from "../list.ts";

export const Severity = Type.Enum(SEVERITIES);
export const FindingKind = Type.Enum(["vulnerability", "secret", "malware", "webshell", "misconfiguration"]);
export const Digest = Type.String({
  pattern: "^[a-z0-9]+:[a-f0-9]{32,128}$",
  maxLength: 160,
  description: "manifest digest",
});
const Nullable = <Shape extends TSchema>(shape: Shape) => Type.Union([shape, Type.Null()]);

const Counts = Type.Object({
  critical: Type.Integer(),
  high: Type.Integer(),
  medium: Type.Integer(),
  low: Type.Integer(),
  other: Type.Integer(),
  exploited: Type.Integer(),
  fixable: Type.Integer(),
  secrets: Type.Integer(),
  malware: Type.Integer(),
  misconfigurations: Type.Integer(),
  baseCritical: Type.Integer(),
  baseHigh: Type.Integer(),
});

const Place = Type.Object({
  registry: Type.String(),
  repository: Type.String(),
  repositoryId: Type.Integer(),
  tags: List(Type.String()),
});

const ITEM = {
  id: Type.Integer(),
  digest: Type.String(),
  reference: Type.String({ description: "registry, repository and tag or digest, of the first place" }),
  locations: List(Place),
  platform: Type.String(),
  os: Nullable(Type.Object({ id: Type.String(), version: Type.String(), name: Type.String() })),
  state: Type.Enum(["known", "scanned", "failed", "gone"]),
  problem: Type.String(),
  builtAt: Nullable(Type.String()),
  firstSeen: Type.String(),
  scannedAt: Nullable(Type.String()),
  sizeBytes: Type.Integer(),
  layerCount: Type.Integer(),
  packageCount: Type.Integer(),
  complete: Type.Boolean(),
  counts: Counts,
  risk: Type.Integer(),
  owner: Nullable(Type.Object({ id: Type.Integer(), name: Type.String() })),
  grade: Nullable(Type.String()),
  base: Nullable(Type.Object({ reference: Type.String(), digest: Type.String(), how: Type.String() })),
};

export const ImageItemShape = Type.Object(ITEM);

export const ImageDetailShape = Type.Object({
  ...ITEM,
  layers: List(
    Type.Object({
      depth: Type.Integer(),
      diffId: Type.String(),
      digest: Type.String(),
      sizeBytes: Type.Integer(),
      createdBy: Type.String(),
      origin: Type.Union([Type.Literal("base"), Type.Literal("own")]),
      packages: Type.Integer(),
      critical: Type.Integer(),
      high: Type.Integer(),
      medium: Type.Integer(),
      low: Type.Integer(),
      other: Type.Integer(),
      secrets: Type.Integer(),
      malware: Type.Integer(),
      misconfigurations: Type.Integer(),
    }),
  ),
  labels: Type.Record(Type.String(), Type.String()),
  imageLabels: Type.Record(Type.String(), Type.String()),
  problems: List(Type.Object({ path: Type.String(), layer: Type.Integer(), what: Type.String() })),
});

export const FindingShape = Type.Object({
  kind: FindingKind,
  id: Type.String(),
  severity: Severity,
  title: Type.String(),
  package: Type.Optional(Type.Object({ purl: Type.String(), name: Type.String(), version: Type.String() })),
  packages: Type.Optional(List(Type.String())),
  fixedVersion: Type.Optional(Type.String()),
  status: Type.Optional(Type.String()),
  path: Type.String(),
  line: Type.Optional(Type.Integer()),
  layer: Type.Integer(),
  origin: Type.Union([Type.Literal("base"), Type.Literal("own")]),
  removedIn: Type.Optional(Type.Integer()),
  exploited: Type.Boolean(),
  epss: Type.Optional(Type.Number()),
  cvss: Type.Optional(Type.Number()),
  priority: Type.Optional(Type.Integer()),
  reasons: Type.Optional(List(Type.String())),
  range: Type.Optional(Type.String()),
  advisories: Type.Optional(List(Type.String())),
  advice: Type.String(),
  detail: Type.Optional(Type.String()),
  fingerprint: Type.Optional(Type.String()),
  foundBy: Type.String(),
  references: List(Type.String()),
  firstSeen: Type.String(),
  waived: Type.Optional(Type.Object({ reason: Type.String(), until: Type.String(), approver: Type.String() })),
});

export const PackageShape = Type.Object({
  id: Type.Integer(),
  purl: Type.String(),
  type: Type.String(),
  name: Type.String(),
  version: Type.String(),
  path: Type.String(),
  layer: Type.Integer(),
  evidence: Type.String(),
  licenses: List(Type.String()),
  undetermined: Type.String(),
  worst: Type.Optional(Nullable(Type.String())),
});
