import { Type } from "typebox";

/** Longest text that is hashed or compared. */
const MAX_SECRET = 1_024;

const Secret = (description: string) => Type.String({ minLength: 1, maxLength: MAX_SECRET, description });

export const LoginBody = Type.Object(
  {
    login: Type.String({ minLength: 1, maxLength: 200 }),
    password: Secret("the account's password"),
    code: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, description: "of the authenticator app, or a recovery code" }),
    ),
  },
  { additionalProperties: false },
);

export const Session = Type.Object({
  account: Type.Object({
    id: Type.Integer(),
    login: Type.String(),
    name: Type.String(),
    role: Type.String(),
    scopes: Type.Array(Type.String()),
    tenant: Type.Object({ id: Type.Integer(), name: Type.String() }),
    totp: Type.Boolean(),
    owners: Type.Array(Type.Integer(), { description: "owners that the account belongs to" }),
  }),
  csrf: Type.String({ description: "to be sent as `x-csrf-token` with every change; empty for tokens" }),
});

export const PasswordBody = Type.Object(
  { old: Secret("the password so far"), new: Secret("the new one") },
  { additionalProperties: false },
);

export const TotpBody = Type.Union([
  Type.Object(
    { action: Type.Literal("begin"), password: Secret("the account's password") },
    { additionalProperties: false },
  ),
  Type.Object(
    { action: Type.Literal("confirm"), code: Type.String({ minLength: 1, maxLength: 100 }) },
    { additionalProperties: false },
  ),
]);

export const TotpAnswer = Type.Object({
  secret: Type.Optional(Type.String({ description: "base32, for people who type it" })),
  uri: Type.Optional(Type.String({ description: "for the QR code" })),
  recoveryCodes: Type.Optional(Type.Array(Type.String(), { description: "shown this once; each counts once" })),
});

export const RemoveTotpBody = Type.Object(
  { password: Secret("the account's password") },
  { additionalProperties: false },
);
