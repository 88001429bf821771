import {
  findClusterByName,
  findImageByReference,
  findImpact,
  type ImpactCause,
  listPaths,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { notFound, ServerError } from "../errors.ts";
import { Id } from "../id.ts";
import { List } from "../list.ts";
import { DEFAULT_PAGE } from "../paging.ts";
import type { Routes } from "../routes.ts";

const Text = Type.String();
const Facts = Type.Record(Text, Type.Unknown());
const CAUSES = ["vulnerability", "image", "secret", "service-account", "alert"] as const;

const ImpactShape = Type.Object({
  clusters: Type.Integer(),
  namespaces: Type.Integer(),
  workloads: Type.Integer(),
  exposed: Type.Integer({ description: "workloads that others than their cluster can reach" }),
  pods: Type.Integer(),
  containers: Type.Integer(),
  selfBuilt: Type.Integer({ description: "containers that sensors see and no cluster knows" }),
  images: Type.Integer({ description: "images that run" }),
  owners: List(
    Type.Object({ name: Text, workloads: Type.Integer(), containers: Type.Integer(), exposed: Type.Integer() }),
  ),
  top: List(
    Type.Object({
      id: Type.Integer(),
      clusterId: Type.Integer(),
      cluster: Text,
      kind: Text,
      namespace: Text,
      name: Text,
      owner: Text,
      grade: Type.Union([Text, Type.Null()]),
      exposure: List(Facts),
      worstPath: Text,
      containers: Type.Integer(),
      image: Text,
      imageDigest: Text,
    }),
  ),
});

const PathShape = Type.Object({
  id: Type.Integer(),
  clusterId: Type.Integer(),
  cluster: Text,
  workloadId: Type.Integer(),
  workload: Text,
  namespace: Text,
  owner: Text,
  target: Type.String({ description: "node, cluster-admin or secrets" }),
  severity: Text,
  exposed: Type.Boolean(),
  steps: List(Facts),
  firstSeen: Text,
});

/** What something is behind, and where one place leads to another. */
export const impactRoutes: Routes = async (app, { deps }) => {
  const { store } = deps;
  const tags = ["clusters"];
  const config = { scope: "runtime:read" } as const;

  app.get(
    "/api/v1/impact",
    {
      config,
      schema: {
        tags,
        operationId: "getImpact",
        summary: "Every asset and owner that a flaw, image, secret, service account or alert concerns",
        querystring: Type.Object({
          cause: Type.Enum(CAUSES),
          id: Type.String({
            minLength: 1,
            maxLength: 600,
            description:
              "CVE-2021-44228; REGISTRY/REPOSITORY:TAG, a digest or an id of an image; an alert's id; a secret's rule; CLUSTER/NAMESPACE/NAME of an account, the cluster by name or id",
          }),
        }),
        response: { 200: ImpactShape },
      },
    },
    async (request) => {
      const { cause, id } = request.query;
      const { tenantId, owners } = principalOf(request);
      return store.tenant(tenantId, async (db) => findImpact(db, await causeOf(db, cause, id, owners)));
    },
  );

  app.get(
    "/api/v1/attack-paths",
    {
      config,
      schema: {
        tags,
        operationId: "listAttackPaths",
        summary: "Ways from a container to its node, to all secrets and to cluster-admin, the worst first",
        querystring: Type.Object({
          clusterId: Type.Optional(Id),
          workloadId: Type.Optional(Id),
          target: Type.Optional(Type.Enum(["node", "cluster-admin", "secrets"])),
          page: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 1 })),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: DEFAULT_PAGE })),
        }),
        response: { 200: Type.Object({ items: List(PathShape) }) },
      },
    },
    async (request) => {
      const { page = 1, limit = DEFAULT_PAGE, ...filter } = request.query;
      const items = await store.tenant(principalOf(request).tenantId, (db) =>
        listPaths(db, { ...filter, offset: (page - 1) * limit, limit }),
      );
      return { items };
    },
  );
};

async function causeOf(
  db: TenantQueries,
  kind: (typeof CAUSES)[number],
  id: string,
  owners: readonly number[] | undefined,
): Promise<ImpactCause> {
  if (kind === "vulnerability" || kind === "secret") return { kind, id };
  if (kind === "service-account") {
    const [, cluster = "", namespace = "", name = ""] = /^(.{1,100})\/([^/]{1,253})\/([^/]{1,253})$/.exec(id) ?? [];
    if (name !== "") return { kind, clusterId: await clusterIdOf(db, cluster), namespace, name };
    const next = "give the cluster's name or number, such as harbour/shop/robot";
    throw new ServerError("INVALID_REQUEST", "a service account is CLUSTER/NAMESPACE/NAME", next);
  }
  if (/^\d{1,15}$/.test(id)) return { kind, id: Number(id) };
  if (kind === "image") {
    const image = await findImageByReference(db, id, owners);
    if (image === undefined) throw notFound("image", id);
    return { kind, id: image.id };
  }
  throw new ServerError("INVALID_REQUEST", "an alert is called by its number", "it stands in the alert's address");
}

/** @throws ServerError `NOT_FOUND` */
async function clusterIdOf(db: TenantQueries, cluster: string): Promise<number> {
  if (/^\d{1,15}$/.test(cluster)) return Number(cluster);
  const id = await findClusterByName(db, cluster);
  if (id === undefined) throw notFound("cluster", cluster);
  return id;
}
