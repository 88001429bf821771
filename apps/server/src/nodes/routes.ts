import { randomBytes } from "node:crypto";
import {
  addEnrolmentToken,
  announce,
  getNode,
  listEnrolmentTokens,
  listNodes,
  removeEnrolmentToken,
  removeNode,
  setNodeOwner,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound } from "../errors.ts";
import { openAuthority } from "../gateway/authority.ts";
import { Id, IdParams } from "../id.ts";
import { List } from "../list.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { sha256 } from "../security/random-secret.ts";

const MAX_USES = 10_000;
const MAX_HOURS = 24 * 365;
const HOUR_MS = 3_600_000;
const TOKEN_BYTES = 24;

const Text = Type.String();
const MaybeText = Type.Union([Text, Type.Null()]);
/** What a sensor tells of itself; its shape is the wire contract's. */
const Facts = Type.Record(Text, Type.Unknown());

const NodeShape = Type.Object({
  id: Type.Integer(),
  uid: Text,
  hostname: Text,
  facts: Facts,
  capabilities: List(Facts),
  health: Type.Union([Facts, Type.Null()]),
  sensorVersion: Text,
  enrolledAt: Text,
  seenAt: MaybeText,
  connectedAt: MaybeText,
  policyRevision: Type.Integer(),
  containers: Type.Integer(),
  lost: Type.Integer({ description: "events lost in the last day, for whatever reason" }),
  owner: Type.Union([Type.Object({ id: Type.Integer(), name: Text }), Type.Null()]),
});

const TokenShape = Type.Object({
  id: Type.Integer(),
  name: Text,
  usesLeft: Type.Integer(),
  expiresAt: Text,
  createdBy: Text,
  createdAt: Text,
});

/** Nodes that a sensor watches, and the tokens with which they enrol. */
export const nodeRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;
  const tags = ["nodes"];

  app.get(
    "/api/v1/nodes",
    {
      config: { scope: "runtime:read" },
      schema: {
        tags,
        operationId: "listNodes",
        summary: "Nodes with a sensor",
        querystring: Type.Object({ ...PageQuery, text: Type.Optional(Type.String({ maxLength: 200 })) }),
        response: { 200: PageOf(NodeShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, text } = request.query;
      const after = idOfCursor(cursor);
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listNodes(db, { after, text, limit: limit + 1 }),
      );
      return pageOf(
        rows,
        limit,
        ({ id }) => [id],
        ({ certificateSerial: _, ...node }) => node,
      );
    },
  );

  app.get(
    "/api/v1/nodes/:id",
    {
      config: { scope: "runtime:read" },
      schema: {
        tags,
        operationId: "getNode",
        summary: "A node: what its kernel can do, how its sensor is",
        params: IdParams,
        response: { 200: NodeShape },
      },
    },
    async (request) => {
      const { id } = request.params;
      const node = await store.tenant(principalOf(request).tenantId, (db) => getNode(db, id));
      if (node === undefined) throw notFound("node", id);
      const { certificateSerial: _, ...shown } = node;
      return shown;
    },
  );

  app.patch(
    "/api/v1/nodes/:id",
    {
      config: { scope: "admin:write" },
      schema: {
        tags,
        operationId: "changeNode",
        summary: "Say who answers for what runs on a node, where nothing nearer says so",
        params: IdParams,
        body: Type.Object({ ownerId: Type.Union([Id, Type.Null()]) }, { additionalProperties: false }),
        response: { 200: NodeShape },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { ownerId } = request.body;
      return store.tenant(principalOf(request).tenantId, async (db) => {
        const isSet = await setNodeOwner(db, id, ownerId);
        const node = await getNode(db, id);
        if (node === undefined) throw notFound("node", id);
        if (!isSet) throw notFound("owner", ownerId ?? "");
        await audit(db, request, "node.change", `node/${id}`, { ownerId });
        await announce(db, { topic: "nodes", id });
        const { certificateSerial: _, ...shown } = node;
        return shown;
      });
    },
  );

  app.delete(
    "/api/v1/nodes/:id",
    {
      config: { scope: "admin:write" },
      schema: {
        tags,
        operationId: "removeNode",
        summary: "Take a node out: its certificate counts no more",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        const hostname = await removeNode(db, id, clock());
        if (hostname === undefined) throw notFound("node", id);
        await announce(db, { topic: "nodes", id });
        await announce(db, { topic: "revocations", id });
        await audit(db, request, "node.remove", `node/${id}`, { hostname });
      });
      return reply.status(204).send(null);
    },
  );

  app.get(
    "/api/v1/enrolment-tokens",
    {
      config: { scope: "admin:read" },
      schema: {
        tags,
        operationId: "listEnrolmentTokens",
        summary: "Tokens with which nodes may still enrol",
        response: { 200: Type.Object({ items: List(TokenShape) }) },
      },
    },
    async (request) => ({
      items: await store.tenant(principalOf(request).tenantId, (db) => listEnrolmentTokens(db, clock())),
    }),
  );

  app.post(
    "/api/v1/enrolment-tokens",
    {
      config: { scope: "admin:write" },
      schema: {
        tags,
        operationId: "addEnrolmentToken",
        summary: "Make a token with which nodes enrol; it is shown this once",
        body: Type.Object(
          {
            name: Type.String({ minLength: 1, maxLength: 100 }),
            uses: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_USES, default: 1 })),
            hours: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_HOURS, default: 24 })),
          },
          { additionalProperties: false },
        ),
        response: {
          201: Type.Object({
            ...TokenShape.properties,
            token: Type.String({ description: "secret, a dot, and the SHA-256 of the authority that nodes may trust" }),
          }),
        },
      },
    },
    async (request, reply) => {
      const { tenantId, name: createdBy } = principalOf(request);
      const { name, uses = 1, hours = 24 } = request.body;
      const now = clock();
      const { fingerprint } = await openAuthority(store, deps.secrets, now);
      const secret = randomBytes(TOKEN_BYTES).toString("base64url");
      const made = await store.tenant(tenantId, async (db) => {
        const expiresAt = new Date(now.getTime() + hours * HOUR_MS);
        const token = await addEnrolmentToken(db, tenantId, {
          name,
          hash: sha256(secret),
          uses,
          expiresAt,
          createdBy,
          now,
        });
        await audit(db, request, "enrolment-token.create", `enrolment-token/${token.id}`, { name, uses, hours });
        return token;
      });
      return reply.status(201).send({ ...made, token: `${secret}.${fingerprint}` });
    },
  );

  app.delete(
    "/api/v1/enrolment-tokens/:id",
    {
      config: { scope: "admin:write" },
      schema: {
        tags,
        operationId: "removeEnrolmentToken",
        summary: "Take a token back; nodes that enrolled with it stay",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        const name = await removeEnrolmentToken(db, id);
        if (name === undefined) throw notFound("enrolment token", id);
        await audit(db, request, "enrolment-token.remove", `enrolment-token/${id}`, { name });
      });
      return reply.status(204).send(null);
    },
  );
};
