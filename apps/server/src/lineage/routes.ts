import {
  containersOn,
  findImageByReference,
  type LineageNode,
  latestSpread,
  lineageNodes,
  listImages,
  nodeIsVisible,
  nodesUnder,
  pathOfImage,
  pathOfNode,
  standingOn,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { type Principal, principalOf } from "../access.ts";
import type { AppDeps } from "../app.ts";
import { audit } from "../audit/audit.ts";
import { csvOf } from "../cases/csv.ts";
import { notFound } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { itemOf } from "../images/reference.ts";
import { seenImage } from "../images/seen-image.ts";
import { Digest, ImageItemShape } from "../images/shapes.ts";
import { List } from "../list.ts";
import { DEFAULT_PAGE, decodeCursor, encodeCursor, PageOf, PageQuery, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { workOnForest } from "./forest-work.ts";
import { measureTenant } from "./keep-forest.ts";
import type { KeptSpread } from "./measure-forest.ts";
import { MEASURES, NodeShape, OwnerAnswer, PlanShape, SpreadShape, StandingShape } from "./shapes.ts";

const tags = ["lineage"];
const read = { scope: "images:read" } as const;

/** Which image stands on which: the forest of bases, how images spread over it, and what to rebuild first. */
export const lineageRoutes: Routes = async (app, { deps }) => {
  const { store } = deps;

  app.get(
    "/api/v1/lineage/nodes",
    {
      config: read,
      schema: {
        tags,
        operationId: "listLineageNodes",
        summary: "Bases and images that stand right on a node, or on nothing; those that carry the most first",
        querystring: Type.Object({
          ...PageQuery,
          under: Type.Optional(Id),
          least: Type.Optional(Type.Integer({ minimum: 0, description: "leaves out what carries fewer images" })),
        }),
        response: { 200: PageOf(NodeShape) },
      },
    },
    async (request) => {
      const { tenantId, owners: sight } = principalOf(request);
      const { cursor, limit = DEFAULT_PAGE, under, least } = request.query;
      const after = decodeCursor(cursor, ["number", "number"]) as readonly [number, number] | undefined;
      const page = { sight, limit: limit + 1, ...definedOnly({ under, least, after }) };
      const rows = await store.tenant(tenantId, (db) => nodesUnder(db, page));
      return pageOf(rows, limit, ({ beneath, id }) => [beneath, id], shown);
    },
  );

  app.get(
    "/api/v1/lineage/nodes/:id",
    {
      config: read,
      schema: {
        tags,
        operationId: "getLineageNode",
        summary: "One node, what it stands on, and who stands on it",
        params: IdParams,
        response: { 200: Type.Object({ node: NodeShape, path: List(NodeShape), standing: StandingShape }) },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { node, path } = await store.tenant(principal.tenantId, async (db) => {
        const found = await demandNode(db, request.params.id, principal);
        return { node: found, path: await pathOfNode(db, found.id) };
      });
      // Side by side: of a large base each of the two reads tens of thousands of rows.
      const [standing, containers] = await Promise.all([
        store.tenant(principal.tenantId, (db) => standingOn(db, node.id)),
        store.tenant(principal.tenantId, (db) => containersOn(db, node.id)),
      ]);
      return { node: shown(node), path: path.map(shown), standing: { ...standing, containers } };
    },
  );

  app.get(
    "/api/v1/lineage/nodes/:id/images",
    {
      config: read,
      schema: {
        tags,
        operationId: "listImagesOnNode",
        summary: "Images that stand on a node, the riskiest first",
        params: IdParams,
        querystring: Type.Object(PageQuery),
        response: { 200: PageOf(ImageItemShape) },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { cursor, limit = DEFAULT_PAGE } = request.query;
      const after = decodeCursor(cursor, ["number", "number"]) as readonly [number, number] | undefined;
      const page = await store.tenant(principal.tenantId, async (db) => {
        const { id } = await demandNode(db, request.params.id, principal);
        const filter = { sight: principal.owners, onNode: id, sort: "risk", descending: true, limit } as const;
        return listImages(db, { ...filter, ...definedOnly({ after }) });
      });
      return { items: page.items.map(itemOf), ...(page.next === undefined ? {} : { next: encodeCursor(page.next) }) };
    },
  );

  app.get(
    "/api/v1/images/:digest/bases",
    {
      config: read,
      schema: {
        tags,
        operationId: "listImageBases",
        summary: "What an image stands on, the lowest first and the image itself last",
        params: Type.Object({ digest: Digest }),
        response: { 200: Type.Object({ items: List(NodeShape) }) },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      return store.tenant(principal.tenantId, async (db) => {
        const image = await seenImage(db, request.params.digest, principal);
        return { items: (await pathOfImage(db, image.id)).map(shown) };
      });
    },
  );

  app.get(
    "/api/v1/image-owner",
    {
      config: read,
      schema: {
        tags,
        operationId: "findImageOwner",
        summary: "Whose an image is, and whose every stage is that it stands on",
        querystring: Type.Object({
          image: Type.String({
            minLength: 1,
            maxLength: 600,
            description: "digest, or registry/repository:tag; the registry by name or address",
          }),
        }),
        response: { 200: OwnerAnswer },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { image: reference } = request.query;
      return store.tenant(principal.tenantId, async (db) => {
        const found = await findImageByReference(db, reference, principal.owners);
        if (found === undefined) throw notFound("image", reference);
        const image = await seenImage(db, found.digest, principal);
        const path = (await pathOfImage(db, image.id)).map(shown);
        const stages = path.map(({ id, kind, image: at, live }) => ({
          ...{ id, kind, live, reference: at?.reference ?? null, owner: at?.owner ?? null },
        }));
        return {
          digest: image.digest,
          reference: itemOf(image).reference,
          owner: image.owner,
          grade: image.grade,
          stages,
        };
      });
    },
  );

  app.get(
    "/api/v1/lineage/spread",
    {
      config: read,
      schema: {
        tags,
        operationId: "getSpread",
        summary: "How images spread over bases, as it was measured last",
        response: { 200: SpreadShape },
      },
    },
    async (request) => {
      return spreadFor(deps, principalOf(request));
    },
  );

  app.get(
    "/api/v1/lineage/spread.csv",
    {
      config: read,
      schema: {
        tags,
        operationId: "exportSpread",
        summary: "The curve of coverage as CSV: bases, and the images that the largest of them carry together",
        produces: ["text/csv"],
        response: { 200: Type.String() },
      },
    },
    async (request, reply) => {
      const spread = await spreadFor(deps, principalOf(request));
      const rows = (["byRoot", "byBase"] as const).flatMap((by) =>
        spread[by].points.map(({ bases, images }) => [
          by === "byRoot" ? "root" : "direct",
          String(bases),
          String(images),
          (images / spread[by].images).toFixed(4),
        ]),
      );
      reply.type("text/csv; charset=utf-8").header("content-disposition", 'attachment; filename="spread.csv"');
      return reply.send(csvOf([["base", "largest bases", "images", "share"], ...rows]));
    },
  );

  app.post(
    "/api/v1/lineage/spread",
    {
      config: { scope: "images:write" },
      schema: {
        tags,
        operationId: "measureSpread",
        summary: "Build the forest anew and measure the spread now",
        response: { 200: SpreadShape },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      await measureTenant(deps, principal.tenantId);
      return store.tenant(principal.tenantId, async (db) => {
        await audit(db, request, "lineage.measure", "lineage");
        return demandSpread(await spreadOf(db, principal));
      });
    },
  );

  app.get(
    "/api/v1/lineage/plan",
    {
      config: read,
      schema: {
        tags,
        operationId: "planFixes",
        summary: "The fewest rebuilds that clear a share of what can be fixed, or the most that so many clear",
        querystring: Type.Object({
          measure: Type.Optional(Type.Enum([...MEASURES])),
          share: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
          fixes: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
        }),
        response: { 200: PlanShape },
      },
    },
    async (request) => {
      const { tenantId } = wholeEstate(principalOf(request));
      const { measure = "critical", share, fixes } = request.query;
      const goal = share === undefined ? { fixes: fixes ?? 10 } : { share };
      const plan = await workOnForest(store, tenantId, { kind: "plan", measure, goal });
      const firsts = plan.steps.flatMap(({ nodes }) => nodes.slice(0, 1));
      const nodes = new Map(
        (await store.tenant(tenantId, (db) => lineageNodes(db, firsts))).map((node) => [node.id, node]),
      );
      const steps = plan.steps.map((step) => {
        const node = nodes.get(step.nodes[0] ?? -1);
        const action = step.repositoryId === null ? ("rebuild-base" as const) : ("fix-own" as const);
        return { ...step, nodes: step.nodes.slice(0, 50), action, node: node === undefined ? null : shown(node) };
      });
      return { ...plan, steps };
    },
  );

  app.get(
    "/api/v1/lineage/simulate",
    {
      config: read,
      schema: {
        tags,
        operationId: "simulateMove",
        summary: "What if everything on one base stood on another",
        querystring: Type.Object({ from: Id, onto: Id, measure: Type.Optional(Type.Enum([...MEASURES])) }),
        response: {
          200: Type.Object({ images: Type.Integer(), cleared: Type.Number(), added: Type.Number() }),
        },
      },
    },
    async (request) => {
      const { tenantId } = wholeEstate(principalOf(request));
      const { from, onto, measure = "critical" } = request.query;
      if (from === onto) throw notFound("other base than", from);
      const effect = await workOnForest(store, tenantId, { kind: "move", measure, from, onto });
      if (effect === "unknown") throw notFound("node", `${from} or ${onto}`);
      return effect;
    },
  );
};

/** Plans name everybody's images: who sees those of some owners only gets none. */
function wholeEstate(principal: Principal): Principal {
  if (principal.owners !== undefined) throw notFound("plan", "for the images of some owners");
  return principal;
}

function definedOnly<Value extends object>(value: Value): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as never;
}

function shown(node: LineageNode) {
  return { ...node, image: node.image === null ? null : itemOf(node.image) };
}

async function demandNode(db: TenantQueries, id: number, { owners }: Principal): Promise<LineageNode> {
  const [node] = (await nodeIsVisible(db, id, owners)) ? await lineageNodes(db, [id]) : [];
  if (node === undefined) throw notFound("node", id);
  return node;
}

/** The spread as it was measured last; who asks first waits for the first measurement. */
async function spreadFor(deps: Pick<AppDeps, "store" | "clock">, principal: Principal) {
  const kept = await deps.store.tenant(principal.tenantId, (db) => spreadOf(db, principal));
  if (kept !== undefined) return kept;
  await measureTenant(deps, principal.tenantId);
  return demandSpread(await deps.store.tenant(principal.tenantId, (db) => spreadOf(db, principal)));
}

function demandSpread<Spread>(spread: Spread | undefined): Spread {
  if (spread === undefined) throw new Error("a measurement of the spread was not kept");
  return spread;
}

async function spreadOf(db: TenantQueries, { owners }: Principal) {
  const kept = await latestSpread(db);
  if (kept === undefined) return undefined;
  const spread = kept.spread as KeptSpread;
  const named = async (top: KeptSpread["topRoots"]) => {
    const nodes = await lineageNodes(
      db,
      top.map(({ id }) => id),
    );
    const rows = [];
    for (const { id, images } of top) {
      const node = (await nodeIsVisible(db, id, owners)) ? nodes.find((each) => each.id === id) : undefined;
      rows.push({ id, images, node: node === undefined ? null : shown(node) });
    }
    return rows;
  };
  return {
    ...spread,
    measuredAt: kept.measuredAt,
    topRoots: await named(spread.topRoots),
    topBases: await named(spread.topBases),
  };
}
