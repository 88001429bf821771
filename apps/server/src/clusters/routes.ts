import { randomUUID } from "node:crypto";
import {
  addCluster,
  announce,
  changeCluster,
  countObjects,
  getCluster,
  listClusters,
  listObjects,
  removeCluster,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { changed } from "../admission/policy-routes.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { List } from "../list.ts";
import { demandOwner } from "../owners/demand-owner.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageById } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { demandCluster } from "./demand-cluster.ts";
import { joinManifest } from "./join-manifest.ts";
import { newJoinToken } from "./join-token.ts";

const MAX_HOURS = 24 * 30;

const Text = Type.String();
const MaybeText = Type.Union([Text, Type.Null()]);
const Facts = Type.Record(Text, Type.Unknown());

const ClusterShape = Type.Object({
  id: Type.Integer(),
  uid: Text,
  name: Text,
  kubernetesUid: Text,
  version: Text,
  agentVersion: Text,
  grade: MaybeText,
  owner: Type.Union([Type.Object({ id: Type.Integer(), name: Text }), Type.Null()]),
  createdAt: Text,
  enrolledAt: MaybeText,
  seenAt: MaybeText,
  state: Type.Enum(["invited", "live", "stale"], {
    description: "stale: it was not heard of for 90 seconds, and what is shown may be out of date",
  }),
  replicas: List(
    Type.Object({
      replica: Text,
      roles: List(Text),
      connectedAt: Text,
      health: Type.Union([Facts, Type.Null()]),
    }),
  ),
  synced: List(Text),
  nodes: Type.Integer(),
  namespaces: Type.Integer(),
  workloads: Type.Integer(),
  pods: Type.Integer(),
  containers: Type.Integer(),
  plainContainers: Type.Integer({ description: "containers on its nodes that no pod of it has" }),
  exposed: Type.Integer({ description: "workloads that others than the cluster can reach" }),
  attackPaths: Type.Integer(),
  analysedAt: MaybeText,
  proxies: List(Text),
});

const ObjectShape = Type.Object({
  id: Type.Integer(),
  clusterId: Type.Integer(),
  uid: Text,
  apiVersion: Text,
  kind: Text,
  namespace: Text,
  name: Text,
  document: Facts,
  firstSeen: Text,
  seenAt: Text,
});

const Name = Type.String({ minLength: 1, maxLength: 100, pattern: "^\\S(?:.*\\S)?$" });
const Grade = Type.Union([Type.String({ minLength: 1, maxLength: 50 }), Type.Null()]);
const OwnerId = Type.Union([Id, Type.Null()]);
const TokenText = Type.String({
  description: "shown this once: secret, a dot, and the SHA-256 of the authority that agents may trust",
});

const GatewayAddress = Type.String({
  maxLength: 300,
  pattern: "^(?:\\[[0-9a-fA-F:]+\\]|[a-zA-Z0-9.-]+):[0-9]{1,5}$",
  description: "HOST:PORT of the gateway, as pods of the cluster reach it",
  examples: ["gateway.example.com:9443"],
});
/** OCI Distribution Specification, "Pulling manifests", with the host and port before it. */
const ImageName = Type.String({
  maxLength: 500,
  pattern: "^[a-z0-9][a-zA-Z0-9._:/-]*(?:@sha256:[0-9a-f]{64})?$",
  description: "the image that holds the server",
  examples: ["registry.example.com/bulwark:1"],
});
/** As the manifests call it, until somebody says where it lies. */
const OWN_IMAGE = "bulwark:latest";

/** Kubernetes clusters: inviting them, and what they consist of. */
export const clusterRoutes: Routes = async (app, { deps }) => {
  const { store, clock, secrets } = deps;
  const tags = ["clusters"];
  const newToken = (db: TenantQueries, tenantId: number, id: number, hours: number) =>
    newJoinToken({ store, secrets, clock }, db, { tenantId, id, hours });

  app.get(
    "/api/v1/clusters",
    {
      config: { scope: "runtime:read" },
      schema: {
        tags,
        operationId: "listClusters",
        summary: "Kubernetes clusters that take part or were invited",
        querystring: Type.Object({ ...PageQuery, text: Type.Optional(Type.String({ maxLength: 200 })) }),
        response: { 200: PageOf(ClusterShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, text } = request.query;
      const after = idOfCursor(cursor);
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listClusters(db, { after, text, limit: limit + 1, now: clock() }),
      );
      return pageById(rows, limit);
    },
  );

  app.post(
    "/api/v1/clusters",
    {
      config: { scope: "admin:write" },
      schema: {
        tags,
        operationId: "addCluster",
        summary: "Invite a cluster: its agent joins with the token, once",
        body: Type.Object(
          {
            name: Name,
            grade: Type.Optional(Grade),
            ownerId: Type.Optional(OwnerId),
            hours: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_HOURS, default: 24 })),
          },
          { additionalProperties: false },
        ),
        response: { 201: Type.Object({ cluster: ClusterShape, token: TokenText, expiresAt: Text }) },
      },
    },
    async (request, reply) => {
      const { tenantId } = principalOf(request);
      const { name, grade = null, ownerId = null, hours = 24 } = request.body;
      const made = await store.tenant(tenantId, async (db) => {
        await demandOwner(db, ownerId);
        const id = await addCluster(db, tenantId, { uid: randomUUID(), name, grade, ownerId, now: clock() });
        if (id === undefined)
          throw new ServerError("CONFLICT", `there is a cluster named ${name} already`, "give it another name");
        const token = await newToken(db, tenantId, id, hours);
        await audit(db, request, "cluster.create", `cluster/${id}`, { name, grade, ownerId, hours });
        await announce(db, { topic: "clusters", id });
        return { cluster: (await getCluster(db, id, clock()))!, ...token };
      });
      return reply.status(201).send(made);
    },
  );

  app.get(
    "/api/v1/clusters/:id",
    {
      config: { scope: "runtime:read" },
      schema: {
        tags,
        operationId: "getCluster",
        summary: "A cluster: what is known of it, and how its agents are",
        params: IdParams,
        response: { 200: ClusterShape },
      },
    },
    async (request) => {
      const { id } = request.params;
      const cluster = await store.tenant(principalOf(request).tenantId, (db) => getCluster(db, id, clock()));
      if (cluster === undefined) throw notFound("cluster", id);
      return cluster;
    },
  );

  app.patch(
    "/api/v1/clusters/:id",
    {
      config: { scope: "admin:write" },
      schema: {
        tags,
        operationId: "changeCluster",
        summary: "Change a cluster's name, grade, owner, or the proxies before its API server",
        params: IdParams,
        body: Type.Object(
          {
            name: Type.Optional(Name),
            grade: Type.Optional(Grade),
            ownerId: Type.Optional(OwnerId),
            proxies: Type.Optional(
              Type.Array(Type.String({ minLength: 2, maxLength: 45, pattern: "^[0-9a-fA-F.:]+$" }), {
                maxItems: 100,
                description: "addresses of load balancers before its API server",
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: ClusterShape },
      },
    },
    async (request) => {
      const { id } = request.params;
      return store.tenant(principalOf(request).tenantId, async (db) => {
        await demandCluster(db, id, clock());
        await demandOwner(db, request.body.ownerId);
        if (!(await changeCluster(db, id, request.body))) throw notFound("cluster", id);
        // Policies may hold by grade.
        await changed(db);
        await audit(db, request, "cluster.change", `cluster/${id}`, { ...request.body });
        await announce(db, { topic: "clusters", id });
        return (await getCluster(db, id, clock()))!;
      });
    },
  );

  app.delete(
    "/api/v1/clusters/:id",
    {
      config: { scope: "admin:write" },
      schema: {
        tags,
        operationId: "removeCluster",
        summary: "Take a cluster out: its certificate counts no more, and what it told is forgotten",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        const name = await removeCluster(db, id, clock());
        if (name === undefined) throw notFound("cluster", id);
        await audit(db, request, "cluster.remove", `cluster/${id}`, { name });
        await announce(db, { topic: "clusters", id });
        await announce(db, { topic: "cluster-revocations", id });
      });
      return reply.status(204).send(null);
    },
  );

  app.post(
    "/api/v1/clusters/:id/token",
    {
      config: { scope: "admin:write" },
      schema: {
        tags,
        operationId: "renewClusterToken",
        summary: "Make another token for a cluster; the one before counts no more",
        params: IdParams,
        body: Type.Object(
          { hours: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_HOURS, default: 24 })) },
          { additionalProperties: false },
        ),
        response: { 201: Type.Object({ token: TokenText, expiresAt: Text }) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = principalOf(request);
      const { hours = 24 } = request.body;
      const made = await store.tenant(tenantId, async (db) => {
        const token = await newToken(db, tenantId, id, hours);
        await audit(db, request, "cluster.token", `cluster/${id}`, { hours });
        return token;
      });
      return reply.status(201).send(made);
    },
  );

  app.post(
    "/api/v1/clusters/:id/manifest",
    {
      config: { scope: "admin:write" },
      schema: {
        tags,
        operationId: "makeClusterManifest",
        summary:
          "Everything that a cluster needs to join, for kubectl apply, with a new token; the one before counts no more",
        params: IdParams,
        body: Type.Object(
          {
            gateway: GatewayAddress,
            image: Type.Optional(ImageName),
            admission: Type.Optional(Type.Boolean({ default: true })),
            hours: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_HOURS, default: 24 })),
          },
          { additionalProperties: false },
        ),
        response: { 201: Type.Object({ manifest: Text, expiresAt: Text }) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = principalOf(request);
      const { gateway, image = OWN_IMAGE, admission = true, hours = 24 } = request.body;
      const made = await store.tenant(tenantId, async (db) => {
        const { token, expiresAt } = await newToken(db, tenantId, id, hours);
        await audit(db, request, "cluster.manifest", `cluster/${id}`, { gateway, image, admission, hours });
        return { manifest: joinManifest({ gateway, image, admission, token }), expiresAt };
      });
      return reply.status(201).send(made);
    },
  );

  app.get(
    "/api/v1/clusters/:id/kinds",
    {
      config: { scope: "runtime:read" },
      schema: {
        tags,
        operationId: "countClusterObjects",
        summary: "How many objects of each kind a cluster has",
        params: IdParams,
        response: { 200: Type.Record(Text, Type.Integer()) },
      },
    },
    async (request) => {
      const { id } = request.params;
      return store.tenant(principalOf(request).tenantId, async (db) => {
        await demandCluster(db, id, clock());
        return countObjects(db, id);
      });
    },
  );

  app.get(
    "/api/v1/cluster-objects",
    {
      config: { scope: "runtime:read" },
      schema: {
        tags,
        operationId: "listClusterObjects",
        summary: "Kubernetes objects, without values of variables, secrets and config maps",
        querystring: Type.Object({
          ...PageQuery,
          clusterId: Type.Optional(Id),
          kind: Type.Optional(Type.String({ maxLength: 100 })),
          namespace: Type.Optional(Type.String({ maxLength: 253 })),
          text: Type.Optional(Type.String({ maxLength: 200 })),
        }),
        response: { 200: PageOf(ObjectShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, ...filter } = request.query;
      const after = idOfCursor(cursor);
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listObjects(db, { ...filter, after, limit: limit + 1 }),
      );
      return pageById(rows, limit);
    },
  );
};
