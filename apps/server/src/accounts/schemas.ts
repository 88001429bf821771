import { Type } from "typebox";
import { ROLES } from "../access.ts";
import { PageQuery } from "../paging.ts";

export const Role = Type.Enum([...ROLES]);
/** Letters that look and sort the same everywhere; an address for mail fits as well. */
export const LoginName = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: "^[A-Za-z0-9][A-Za-z0-9._@+-]*$",
  description: "compared in lower case, and unique over all tenants",
});
const Name = Type.String({ minLength: 1, maxLength: 200 });
const Password = Type.String({ minLength: 1, maxLength: 1_024 });

export const Account = Type.Object({
  id: Type.Integer(),
  login: Type.String(),
  name: Type.String(),
  role: Type.String(),
  enabled: Type.Boolean(),
  totp: Type.Boolean(),
  sso: Type.Boolean({ description: "belongs to an identity provider and has no password here" }),
  owners: Type.Array(Type.Integer(), { description: "owners that the account belongs to" }),
  createdAt: Type.String({ format: "date-time" }),
  seenAt: Type.Optional(Type.String({ format: "date-time", description: "last login" })),
});

export const NewAccount = Type.Object(
  {
    login: LoginName,
    name: Name,
    role: Role,
    password: Type.Optional(Type.String({ ...Password, description: "left out: a random one is made and shown once" })),
  },
  { additionalProperties: false },
);

export const MadeAccount = Type.Object({
  ...Account.properties,
  password: Type.Optional(Type.String({ description: "the random one, shown this once" })),
});

export const AccountChange = Type.Object(
  {
    name: Type.Optional(Name),
    role: Type.Optional(Role),
    enabled: Type.Optional(Type.Boolean()),
    password: Type.Optional(Password),
    totp: Type.Optional(Type.Literal(false, { description: "removes the second factor of somebody who lost it" })),
  },
  { additionalProperties: false },
);

export const AccountQuery = Type.Object(
  { ...PageQuery, search: Type.Optional(Type.String({ maxLength: 200 })) },
  { additionalProperties: false },
);

export const Id = Type.Object({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) });
