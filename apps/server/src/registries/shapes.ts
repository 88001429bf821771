import { Type } from "typebox";
import { List } from "../list.ts";

const Glob = Type.String({ minLength: 1, maxLength: 255 });

const SETTINGS = {
  username: Type.Optional(Type.String({ maxLength: 200 })),
  caPem: Type.Optional(Type.String({ maxLength: 100_000, description: "certificates to trust beside the system's" })),
  plainHttp: Type.Optional(Type.Boolean()),
  allowPrivate: Type.Optional(
    Type.Boolean({ description: "the address may lie in a private network or on this machine" }),
  ),
  include: Type.Optional(List(Glob)),
  exclude: Type.Optional(List(Glob)),
  pollMinutes: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 10_080, description: "0: only webhooks and requests" }),
  ),
  timeoutSeconds: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 300,
      description: "silence that counts as the end of a connection; 20 if left out",
    }),
  ),
  imagesPerMinute: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 10_000, description: "0: as fast as workers go" }),
  ),
};

const PLACE = {
  ownerId: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
  grade: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 40 }), Type.Null()])),
  labels: Type.Optional(Type.Record(Type.String({ maxLength: 100 }), Type.String({ maxLength: 1_000 }))),
};

const Address = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: "^(https?://)?[A-Za-z0-9.\\-\\[\\]:]+/?$",
  description: "host[:port]",
});
const Name = Type.String({ minLength: 1, maxLength: 100 });
const Kind = Type.Enum(["oci", "docker", "harbor"]);

export const RegistryBody = Type.Object(
  {
    name: Name,
    kind: Kind,
    address: Address,
    password: Type.Optional(Type.String({ maxLength: 4_000 })),
    ...SETTINGS,
    ...PLACE,
  },
  { additionalProperties: false },
);

export const RegistryChangeBody = Type.Object(
  {
    name: Type.Optional(Name),
    address: Type.Optional(Address),
    password: Type.Optional(Type.Union([Type.String({ maxLength: 4_000 }), Type.Null()])),
    ...SETTINGS,
    ...PLACE,
  },
  { additionalProperties: false },
);

export const RegistryShape = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  kind: Type.Enum(["oci", "docker", "harbor", "local"]),
  address: Type.String(),
  settings: Type.Object(SETTINGS),
  hasSecret: Type.Boolean(),
  state: Type.String(),
  problem: Type.String(),
  syncedAt: Type.Union([Type.String(), Type.Null()]),
  triedAt: Type.Union([Type.String(), Type.Null()]),
  hasWebhook: Type.Boolean(),
  createdAt: Type.String(),
  owner: Type.Union([Type.Object({ id: Type.Integer(), name: Type.String() }), Type.Null()]),
  grade: Type.Union([Type.String(), Type.Null()]),
  labels: Type.Record(Type.String(), Type.String()),
  repositories: Type.Integer(),
  images: Type.Integer(),
});
