import { getWorkload, listPods, listWorkloads } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { notFound } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { List } from "../list.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageById } from "../paging.ts";
import type { Routes } from "../routes.ts";

const Text = Type.String();
const MaybeText = Type.Union([Text, Type.Null()]);
const MaybeCount = Type.Union([Type.Integer(), Type.Null()]);
const Search = Type.Optional(Type.String({ maxLength: 200 }));
const Namespace = Type.Optional(Type.String({ maxLength: 253 }));

const WorkloadShape = Type.Object({
  id: Type.Integer(),
  clusterId: Type.Integer(),
  cluster: Text,
  uid: Text,
  kind: Text,
  namespace: Text,
  name: Text,
  pods: Type.Integer(),
  containers: Type.Integer(),
  serviceAccount: Text,
  grade: MaybeText,
  owner: Type.Union([Type.Object({ name: Text, from: Text }), Type.Null()]),
  exposure: List(Type.Record(Text, Type.Unknown())),
  worstPath: Type.String({ description: "severity of the worst attack path from it; empty for none" }),
  critical: MaybeCount,
  high: MaybeCount,
  images: List(Type.Object({ image: Text, digest: Text, imageId: MaybeCount, containers: Type.Integer() })),
  openAlerts: Type.Integer(),
});

const PodShape = Type.Object({
  id: Type.Integer(),
  clusterId: Type.Integer(),
  cluster: Text,
  workloadId: Type.Integer(),
  workload: Text,
  uid: Text,
  namespace: Text,
  name: Text,
  node: Text,
  nodeId: MaybeCount,
  serviceAccount: Text,
  phase: Text,
  addresses: List(Text),
  hostNetwork: Type.Boolean(),
  startedAt: MaybeText,
  containers: List(
    Type.Object({
      name: Text,
      role: Type.String({ description: "container, init or ephemeral" }),
      image: Text,
      imageDigest: Text,
      imageId: MaybeCount,
      runtimeId: Text,
      containerId: MaybeCount,
      state: Text,
      privileged: Type.Boolean(),
      critical: MaybeCount,
      high: MaybeCount,
    }),
  ),
});

/** What runs in clusters. */
export const workloadRoutes: Routes = async (app, { deps }) => {
  const { store } = deps;
  const tags = ["clusters"];
  const config = { scope: "runtime:read" } as const;

  app.get(
    "/api/v1/workloads",
    {
      config,
      schema: {
        tags,
        operationId: "listWorkloads",
        summary: "What was deployed to clusters, with its images, owner and exposure",
        querystring: Type.Object({
          ...PageQuery,
          clusterId: Type.Optional(Id),
          namespace: Namespace,
          exposed: Type.Optional(Type.Boolean()),
          text: Search,
        }),
        response: { 200: PageOf(WorkloadShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, ...filter } = request.query;
      const after = idOfCursor(cursor);
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listWorkloads(db, { ...filter, after, limit: limit + 1 }),
      );
      return pageById(rows, limit);
    },
  );

  app.get(
    "/api/v1/workloads/:id",
    {
      config,
      schema: {
        tags,
        operationId: "getWorkload",
        summary: "A workload",
        params: IdParams,
        response: { 200: WorkloadShape },
      },
    },
    async (request) => {
      const { id } = request.params;
      const workload = await store.tenant(principalOf(request).tenantId, (db) => getWorkload(db, id));
      if (workload === undefined) throw notFound("workload", id);
      return workload;
    },
  );

  app.get(
    "/api/v1/pods",
    {
      config,
      schema: {
        tags,
        operationId: "listPods",
        summary: "Pods with their containers, joined to images and to what sensors see",
        querystring: Type.Object({
          ...PageQuery,
          clusterId: Type.Optional(Id),
          workloadId: Type.Optional(Id),
          namespace: Namespace,
          node: Type.Optional(Type.String({ maxLength: 253 })),
          text: Search,
        }),
        response: { 200: PageOf(PodShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, ...filter } = request.query;
      const after = idOfCursor(cursor);
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listPods(db, { ...filter, after, limit: limit + 1 }),
      );
      return pageById(rows, limit);
    },
  );
};
