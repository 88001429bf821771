import { NOTICE_EVENTS } from "@bulwark/store";
import { Type } from "typebox";
import { Id } from "../id.ts";
import { FindingKind, Severity } from "../images/shapes.ts";
import { List } from "../list.ts";
import { CHANNELS } from "./channels/index.ts";

const Email = Type.String({ maxLength: 320, pattern: '^[^\\s@<>,;:"]+@[^\\s@<>,;:"]+$', examples: ["a@example.org"] });
const Clock = Type.String({ pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$", description: "HH:MM" });
const Text = Type.String();
const N = Type.Integer();

const SETTINGS = {
  username: Type.Optional(Type.String({ minLength: 1, maxLength: 320 })),
  from: Type.Optional(Email),
  to: Type.Optional(Type.Array(Email, { minItems: 1, maxItems: 50 })),
  template: Type.Optional(
    Type.String({
      maxLength: 20_000,
      description: "JSON of which an issue is made, with placeholders such as {{subject}}",
    }),
  ),
  caPem: Type.Optional(Type.String({ maxLength: 100_000, description: "certificates to trust beside the usual ones" })),
  allowPrivate: Type.Optional(
    Type.Boolean({ description: "the address may lie in a private network: administrators alone may say so" }),
  ),
  language: Type.Optional(Type.Enum(["en", "zh"])),
  digest: Type.Optional(Type.Enum(["none", "hourly", "daily"])),
  digestHour: Type.Optional(Type.Integer({ minimum: 0, maximum: 23 })),
  quietFrom: Type.Optional(Clock),
  quietTo: Type.Optional(Clock),
  timeZone: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "such as Asia/Shanghai" })),
};

const Name = Type.String({ minLength: 1, maxLength: 100 });
const Address = Type.String({
  minLength: 1,
  maxLength: 2_000,
  pattern: "^(https?|smtps?|smtp\\+plain)://",
  examples: ["https://203.0.113.9/hook"],
});
const Secret = Type.String({ maxLength: 4_000 });
const ChannelKind = Type.Enum(CHANNELS.map(({ kind }) => kind));

export const ChannelBody = Type.Object(
  {
    name: Name,
    kind: ChannelKind,
    address: Address,
    secret: Type.Optional(Secret),
    enabled: Type.Optional(Type.Boolean()),
    ...SETTINGS,
  },
  { additionalProperties: false },
);

export const ChannelChangeBody = Type.Object(
  {
    name: Type.Optional(Name),
    address: Type.Optional(Address),
    secret: Type.Optional(Secret),
    enabled: Type.Optional(Type.Boolean()),
    ...SETTINGS,
  },
  { additionalProperties: false },
);

export const ChannelShape = Type.Object({
  id: N,
  name: Text,
  kind: ChannelKind,
  address: Type.String({ description: "without what in it is secret" }),
  settings: Type.Object({ ...SETTINGS, to: Type.Optional(List(Text)) }),
  enabled: Type.Boolean(),
  createdAt: Text,
});

export const TestResult = Type.Object({ ok: Type.Boolean(), problem: Text, delivery: N });

const RULE = {
  events: Type.Array(Type.Enum([...NOTICE_EVENTS]), { minItems: 1, uniqueItems: true }),
  ownerIds: Type.Optional(Type.Array(Id, { maxItems: 200, description: "owners; empty: any" })),
  grades: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 40 }), { maxItems: 20 })),
  minSeverity: Type.Optional(Type.Union([Severity, Type.Null()])),
  kinds: Type.Optional(Type.Array(FindingKind, { maxItems: 20 })),
  channelIds: Type.Array(Id, { minItems: 1, maxItems: 50 }),
  toOwner: Type.Optional(Type.Boolean({ description: "e-mail goes to the owner's own address, where there is one" })),
  enabled: Type.Optional(Type.Boolean()),
};

export const RuleBody = Type.Object({ name: Name, ...RULE }, { additionalProperties: false });
export const RuleChangeBody = Type.Partial(Type.Object({ name: Name, ...RULE }), { additionalProperties: false });
export const RuleShape = Type.Object({
  id: N,
  name: Text,
  enabled: Type.Boolean(),
  events: List(Type.Enum([...NOTICE_EVENTS])),
  ownerIds: List(N),
  grades: List(Text),
  minSeverity: Type.Union([Severity, Type.Null()]),
  kinds: List(Text),
  channelIds: List(N),
  toOwner: Type.Boolean(),
});

const DELIVERY = {
  id: N,
  at: Text,
  channelId: N,
  channel: Text,
  recipient: Text,
  subject: Text,
  state: Type.Enum(["waiting", "delivered", "failed"]),
  attempts: N,
  problem: Text,
  dueAt: Text,
  endedAt: Type.Union([Text, Type.Null()]),
};
export const DeliveryShape = Type.Object(DELIVERY);
export const DeliveryDetailShape = Type.Object({
  ...DELIVERY,
  log: List(
    Type.Object({ at: Text, ok: Type.Boolean(), status: Type.Union([N, Type.Null()]), problem: Text, tookMs: N }),
  ),
});
