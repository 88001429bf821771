import { type ApiToken, addToken, findToken, listTokens, removeToken } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf, SCOPES, sessionOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { TOKEN_PREFIX } from "../security/authenticator.ts";
import { randomSecret, sha256 } from "../security/random-secret.ts";

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 90;
const MAX_DAYS = 366;

const tags = ["tokens"];
const own = { scope: "session" } as const;

const Token = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  account: Type.Object({ id: Type.Integer(), login: Type.String() }),
  scopes: Type.Array(Type.String()),
  createdAt: Type.String({ format: "date-time" }),
  expiresAt: Type.String({ format: "date-time" }),
  usedAt: Type.Optional(Type.String({ format: "date-time" })),
});
const NewToken = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    scopes: Type.Array(Type.Enum([...SCOPES]), {
      minItems: 1,
      maxItems: SCOPES.length,
    }),
    days: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_DAYS, default: DEFAULT_DAYS, description: "how long it counts" }),
    ),
  },
  { additionalProperties: false },
);
const MadeToken = Type.Object({ ...Token.properties, token: Type.String({ description: "shown this once" }) });
const TokenQuery = Type.Object(
  { ...PageQuery, all: Type.Optional(Type.Boolean({ description: "those of all accounts; needs admin:read" })) },
  { additionalProperties: false },
);

/** Tokens for programs: CI jobs, the command line. */
export const tokenRoutes: Routes = async (app, { deps }) => {
  const list = {
    tags,
    summary: "Own tokens, without their secrets",
    operationId: "listTokens",
    querystring: TokenQuery,
    response: { 200: PageOf(Token) },
  };
  app.get("/api/v1/tokens", { config: own, schema: list }, async (request) => {
    const { tenantId, accountId, scopes } = principalOf(request);
    const { limit = DEFAULT_PAGE, cursor, all = false } = request.query;
    if (all && !scopes.has("admin:read")) throw new ServerError("FORBIDDEN", "this needs the scope admin:read");
    const after = idOfCursor(cursor);
    const page = { limit: limit + 1, after, accountId: all ? undefined : accountId };
    const rows = await deps.store.tenant(tenantId, (db) => listTokens(db, page));
    return pageOf(rows, limit, (row) => [row.id], tokenOf);
  });

  const make = {
    tags,
    summary: "Make a token",
    operationId: "createToken",
    body: NewToken,
    response: { 201: MadeToken },
  };
  app.post("/api/v1/tokens", { config: own, schema: make }, async (request, reply) => {
    const principal = sessionOf(request);
    const { name, scopes, days = DEFAULT_DAYS } = request.body;
    const missing = scopes.filter((scope) => !principal.scopes.has(scope));
    if (missing.length > 0) {
      throw new ServerError("FORBIDDEN", `your role has not ${missing.join(", ")}`, "leave out what you may not do");
    }
    const token = `${TOKEN_PREFIX}${randomSecret()}`;
    const now = deps.clock();
    const entry = {
      tenantId: principal.tenantId,
      accountId: principal.accountId,
      name,
      hash: sha256(token),
      scopes: [...new Set(scopes)],
      now,
      expiresAt: new Date(now.getTime() + days * DAY_MS),
    };
    const made = await deps.store.tenant(principal.tenantId, async (db) => {
      const id = await addToken(db, entry);
      if (id === undefined) throw new ServerError("CONFLICT", `you have a token named ${name}`, "choose another name");
      await audit(db, request, "token.create", `token/${id}`, { name, scopes: entry.scopes, days });
      return findToken(db, { id });
    });
    return reply.code(201).send({ ...tokenOf(made!), token });
  });

  const remove = {
    tags,
    summary: "Revoke a token: an own one, or with admin:write any",
    operationId: "deleteToken",
    params: Type.Object({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) }),
    response: { 204: Type.Null() },
  };
  app.delete("/api/v1/tokens/:id", { config: own, schema: remove }, async (request, reply) => {
    const { tenantId, accountId, scopes } = principalOf(request);
    const { id } = request.params;
    await deps.store.tenant(tenantId, async (db) => {
      const token = await findToken(db, { id });
      const isTheirs = token !== undefined && (token.accountId === accountId || scopes.has("admin:write"));
      if (!isTheirs) throw notFound("token", id);
      await removeToken(db, id);
      await audit(db, request, "token.delete", `token/${id}`, { name: token.name, account: token.account });
    });
    return reply.code(204).send(null);
  });
};

function tokenOf(token: ApiToken) {
  return {
    id: token.id,
    name: token.name,
    account: { id: token.accountId, login: token.account },
    scopes: [...token.scopes],
    createdAt: token.createdAt.toISOString(),
    expiresAt: token.expiresAt.toISOString(),
    ...(token.usedAt === null ? {} : { usedAt: token.usedAt.toISOString() }),
  };
}
