import { countAssets, getContainer, listContainers, listListeners, listPrograms } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { notFound } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { keepByCost } from "../keep-by-cost.ts";
import { List } from "../list.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageById } from "../paging.ts";
import type { Routes } from "../routes.ts";

const Text = Type.String();
const MaybeText = Type.Union([Text, Type.Null()]);
const MaybeCount = Type.Union([Type.Integer(), Type.Null()]);
const Search = Type.Optional(Type.String({ maxLength: 200 }));

const ContainerShape = Type.Object({
  id: Type.Integer(),
  runtimeId: Text,
  nodeId: Type.Integer(),
  hostname: Text,
  name: Text,
  image: Text,
  imageDigest: Text,
  imageId: MaybeCount,
  runtime: Text,
  namespace: Text,
  pod: Text,
  privileged: Type.Boolean(),
  state: Text,
  startedAt: MaybeText,
  stoppedAt: MaybeText,
  seenAt: Text,
  openAlerts: Type.Integer(),
  critical: MaybeCount,
  high: MaybeCount,
  facts: Type.Record(Text, Type.Unknown()),
  exposure: List(
    Type.Object({
      how: Type.Enum(["host-network", "published", "host-port"]),
      address: Text,
      port: Type.Integer({ description: "on the node, by which others than the node reach it" }),
      containerPort: Type.Integer(),
      protocol: Text,
    }),
  ),
  selfBuilt: Type.Boolean({ description: "no connected registry has its image" }),
  owner: Type.Union([
    Type.Object({
      name: Text,
      from: Type.Enum(["label", "image", "repository", "registry", "node"]),
      detail: Type.String({ description: "the label, repository, registry or node" }),
    }),
    Type.Null(),
  ]),
});

const ProgramShape = Type.Object({
  id: Type.Integer(),
  nodeId: Type.Integer(),
  hostname: Text,
  container: Text,
  containerName: Text,
  exe: Text,
  name: Text,
  userName: Text,
  arguments: Text,
  processes: Type.Integer(),
});

const Kind = Type.Enum(["web", "database", "other"]);

const ListenerShape = Type.Object({
  id: Type.Integer(),
  nodeId: Type.Integer(),
  hostname: Text,
  container: Text,
  containerName: Text,
  protocol: Text,
  address: Text,
  port: Type.Integer(),
  exe: Text,
  name: Text,
  kind: Kind,
  product: Text,
  exposed: Type.Boolean(),
});

const Place = {
  ...PageQuery,
  text: Search,
  nodeId: Type.Optional(Id),
  container: Type.Optional(Type.String({ maxLength: 200, description: "the runtime's id" })),
};

/** What runs: containers, programs, ports, web services and databases on nodes with a sensor. */
export const assetRoutes: Routes = async (app, { deps }) => {
  const { store } = deps;
  const tags = ["assets"];
  const config = { scope: "runtime:read" } as const;
  const counts = keepByCost<Readonly<Record<string, number>>>();

  app.get(
    "/api/v1/assets",
    {
      config,
      schema: {
        tags,
        operationId: "countAssets",
        summary: "How many there are of each kind of asset",
        response: { 200: Type.Record(Text, Type.Integer()) },
      },
    },
    async (request) => {
      const { tenantId } = principalOf(request);
      return counts(String(tenantId), () => store.tenant(tenantId, countAssets));
    },
  );

  app.get(
    "/api/v1/containers",
    {
      config,
      schema: {
        tags,
        operationId: "listContainers",
        summary: "Containers, the newest first",
        querystring: Type.Object({
          ...PageQuery,
          text: Search,
          nodeId: Type.Optional(Id),
          running: Type.Optional(Type.Boolean()),
          privileged: Type.Optional(Type.Boolean()),
          exposed: Type.Optional(Type.Boolean()),
          selfBuilt: Type.Optional(Type.Boolean()),
          image: Type.Optional(Id),
        }),
        response: { 200: PageOf(ContainerShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, ...filter } = request.query;
      const before = idOfCursor(cursor);
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listContainers(db, { ...filter, before, limit: limit + 1 }),
      );
      return pageById(rows, limit);
    },
  );

  app.get(
    "/api/v1/containers/:id",
    {
      config,
      schema: {
        tags,
        operationId: "getContainer",
        summary: "A container: where it runs, of which image, with which rights",
        params: IdParams,
        response: { 200: ContainerShape },
      },
    },
    async (request) => {
      const { id } = request.params;
      const container = await store.tenant(principalOf(request).tenantId, (db) => getContainer(db, id));
      if (container === undefined) throw notFound("container", id);
      return container;
    },
  );

  app.get(
    "/api/v1/programs",
    {
      config,
      schema: {
        tags,
        operationId: "listPrograms",
        summary: "Programs that run, each once per place and user",
        querystring: Type.Object(Place),
        response: { 200: PageOf(ProgramShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, ...filter } = request.query;
      const after = idOfCursor(cursor);
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listPrograms(db, { ...filter, after, limit: limit + 1 }),
      );
      return pageById(rows, limit);
    },
  );

  app.get(
    "/api/v1/listeners",
    {
      config,
      schema: {
        tags,
        operationId: "listListeners",
        summary: "Ports that something listens on, with what it is taken for",
        querystring: Type.Object({ ...Place, kind: Type.Optional(Kind) }),
        response: { 200: PageOf(ListenerShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, ...filter } = request.query;
      const after = idOfCursor(cursor);
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listListeners(db, { ...filter, after, limit: limit + 1 }),
      );
      return pageById(rows, limit);
    },
  );
};
