import {
  addCleanup,
  addHold,
  cleanupItems,
  cleanupPlaces,
  decideCleanup,
  deletedManifests,
  findZombies,
  getRepository,
  listCleanups,
  listHolds,
  removeHold,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { startJob } from "../jobs/start-job.ts";
import { List } from "../list.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageById } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { restoreItem } from "./clean-up-task.ts";

const DEFAULT_DAYS = 90;
const MAX_ITEMS = 5_000;
const Text = Type.String();
const Named = Type.Object({ id: Type.Integer(), name: Text });
const Maybe = Type.Union([Text, Type.Null()]);
const Days = Type.Integer({ minimum: 1, maximum: 3_650, description: "unused for so many days" });

const UnusedShape = Type.Object({
  repositoryId: Type.Integer(),
  registry: Text,
  repository: Text,
  digest: Text,
  tags: List(Text),
  sizeBytes: Type.Number({ description: "of its layers; what others share of them stays" }),
  owner: Type.Union([Named, Type.Null()]),
  firstSeen: Text,
  pulledAt: Maybe,
});
const CleanupShape = Type.Object({
  id: Type.Integer(),
  days: Type.Integer(),
  state: Type.Enum(["proposed", "refused", "approved", "done"]),
  askedBy: Named,
  askedAt: Text,
  decidedBy: Type.Union([Named, Type.Null()]),
  decidedAt: Maybe,
  endedAt: Maybe,
  items: Type.Record(Text, Type.Integer()),
  sizeBytes: Type.Number(),
});
const ItemShape = Type.Object({
  id: Type.Integer(),
  repositoryId: Type.Integer(),
  registryId: Type.Integer(),
  registry: Text,
  repository: Text,
  digest: Text,
  tags: List(Text),
  sizeBytes: Type.Number(),
  state: Type.Enum(["waiting", "deleted", "kept", "failed", "restored"]),
  why: Text,
});
const HoldShape = Type.Object({
  id: Type.Integer(),
  repository: Type.Object({ id: Type.Integer(), name: Text, registry: Text }),
  tag: Text,
  reason: Text,
  until: Maybe,
});
const HoldBody = Type.Object(
  {
    repositoryId: Id,
    tag: Type.Optional(Type.String({ maxLength: 128, description: "left out: the whole repository" })),
    reason: Type.String({ minLength: 3, maxLength: 2_000 }),
    until: Type.Optional(Type.String({ format: "date" })),
  },
  { additionalProperties: false },
);
const ChoiceBody = Type.Object(
  {
    days: Type.Optional(Days),
    images: Type.Optional(
      List(Type.Object({ repositoryId: Id, digest: Type.String({ maxLength: 160 }) }, { additionalProperties: false })),
    ),
  },
  { additionalProperties: false },
);

/** Images that nobody uses, and how they go: proposed by one person, approved by another, restorable. */
export const cleanupRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;
  const tags = ["cleanups"];
  const read = { scope: "images:read" } as const;
  const write = { scope: "images:write" } as const;

  app.get(
    "/api/v1/unused",
    {
      config: read,
      schema: {
        tags,
        operationId: "listUnused",
        summary: "Images that nobody used for some days, the largest first: what a cleanup would delete",
        querystring: Type.Object({
          days: Type.Optional(Days),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
        }),
        response: { 200: Type.Object({ items: List(UnusedShape) }) },
      },
    },
    async (request) => {
      const { tenantId, owners: sight } = principalOf(request);
      const { days = DEFAULT_DAYS, limit = DEFAULT_PAGE } = request.query;
      const items = await store.tenant(tenantId, (db) => findZombies(db, { sight, days, now: clock(), limit }));
      return { items };
    },
  );

  app.get(
    "/api/v1/cleanups",
    {
      config: read,
      schema: {
        tags,
        operationId: "listCleanups",
        summary: "Cleanups, the newest first",
        querystring: Type.Object(PageQuery),
        response: { 200: PageOf(CleanupShape) },
      },
    },
    async (request) => {
      const { tenantId } = principalOf(request);
      const { cursor, limit = DEFAULT_PAGE } = request.query;
      const after = idOfCursor(cursor);
      const page = { limit: limit + 1, ...(after === undefined ? {} : { after }) };
      return pageById(await store.tenant(tenantId, (db) => listCleanups(db, page)), limit);
    },
  );

  app.post(
    "/api/v1/cleanups",
    {
      config: write,
      schema: {
        tags,
        operationId: "proposeCleanup",
        summary: "Propose to delete what is unused; somebody else has to approve",
        body: ChoiceBody,
        response: { 201: CleanupShape },
      },
    },
    async (request, reply) => {
      const { tenantId, accountId, owners: sight } = principalOf(request);
      const { days = DEFAULT_DAYS, images } = request.body;
      const now = clock();
      const cleanup = await store.tenant(tenantId, async (db) => {
        const unused = await findZombies(db, { sight, days, now, limit: MAX_ITEMS });
        const chosen = unused.filter(
          ({ repositoryId, digest }) =>
            images === undefined || images.some((each) => each.repositoryId === repositoryId && each.digest === digest),
        );
        if (chosen.length === 0) {
          const next = "see GET /api/v1/unused; what is in use, held or stood upon is never deleted";
          throw new ServerError("CONFLICT", "none of these images is unused", next);
        }
        const id = await addCleanup(db, chosen, { days, accountId, now });
        await audit(db, request, "cleanup.propose", `cleanup/${id}`, { days, images: chosen.length });
        return oneCleanup(db, id);
      });
      return reply.status(201).send(cleanup);
    },
  );

  app.get(
    "/api/v1/cleanups/:id/items",
    {
      config: read,
      schema: {
        tags,
        operationId: "listCleanupItems",
        summary: "What a cleanup deletes or deleted",
        params: IdParams,
        querystring: Type.Object(PageQuery),
        response: { 200: PageOf(ItemShape) },
      },
    },
    async (request) => {
      const { tenantId } = principalOf(request);
      const { cursor, limit = DEFAULT_PAGE } = request.query;
      const after = idOfCursor(cursor);
      const rows = await store.tenant(tenantId, async (db) => {
        await oneCleanup(db, request.params.id);
        return cleanupItems(db, request.params.id, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
      });
      return pageById(rows, limit);
    },
  );

  for (const decision of ["approve", "refuse"] as const) {
    app.post(
      `/api/v1/cleanups/:id/${decision}`,
      {
        config: { scope: "findings:approve" },
        schema: {
          tags,
          operationId: `${decision}Cleanup`,
          summary: decision === "approve" ? "Let a cleanup begin that somebody else proposed" : "Refuse a cleanup",
          params: IdParams,
          response: { 200: CleanupShape },
        },
      },
      async (request) => {
        const { tenantId, accountId, name } = principalOf(request);
        const { id } = request.params;
        const { cleanup, job } = await store.tenant(tenantId, async (db) => {
          await oneCleanup(db, id);
          const approve = decision === "approve";
          if (!(await decideCleanup(db, id, { approve, accountId, now: clock() }))) {
            const next = approve ? "somebody else than who proposed it approves" : "see its state";
            throw new ServerError("CONFLICT", `cleanup ${id} cannot be decided by you now`, next);
          }
          await audit(db, request, `cleanup.${decision}`, `cleanup/${id}`);
          const title = `cleanup ${id}`;
          const tasks = (await cleanupPlaces(db, id)).map((node) => ({
            kind: "clean-up",
            name: node === "" ? title : `${title} on ${node}`,
            payload: { cleanup: id, node },
          }));
          const wanted = { kind: "cleanup", title, cause: "request", createdBy: name, tasks } as const;
          return { cleanup: await oneCleanup(db, id), job: approve ? await startJob(db, tenantId, wanted) : undefined };
        });
        await job?.enqueue(deps);
        return cleanup;
      },
    );
  }

  app.post(
    "/api/v1/cleanup-items/:id/restore",
    {
      config: write,
      schema: {
        tags,
        operationId: "restoreCleanupItem",
        summary: "Put back what a cleanup deleted, while the registry still has its layers",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { tenantId } = principalOf(request);
      const { id } = request.params;
      await restoreItem(deps, tenantId, id);
      await store.tenant(tenantId, (db) => audit(db, request, "cleanup.restore", `cleanup-item/${id}`));
      return reply.code(204).send(null);
    },
  );

  app.get(
    "/api/v1/cleanup-items/:id/manifests",
    {
      config: read,
      schema: {
        tags,
        operationId: "exportCleanupItem",
        summary: "The manifests of what was deleted, to be kept elsewhere",
        params: IdParams,
        response: {
          200: Type.Object({
            registry: Text,
            repository: Text,
            tags: List(Text),
            manifests: List(Type.Object({ digest: Text, mediaType: Text, bytes: Text })),
          }),
        },
      },
    },
    async (request) => {
      const { tenantId } = principalOf(request);
      const item = await store.tenant(tenantId, (db) => deletedManifests(db, request.params.id));
      if (item === undefined) throw notFound("deleted image", request.params.id);
      const { registry, repository, tags: names, manifests } = item;
      return { registry, repository, tags: names, manifests };
    },
  );

  app.get(
    "/api/v1/cleanup-holds",
    {
      config: read,
      schema: {
        tags,
        operationId: "listHolds",
        summary: "What no cleanup may delete",
        response: { 200: Type.Object({ items: List(HoldShape) }) },
      },
    },
    async (request) => ({ items: await store.tenant(principalOf(request).tenantId, listHolds) }),
  );

  app.post(
    "/api/v1/cleanup-holds",
    {
      config: write,
      schema: {
        tags,
        operationId: "addHold",
        summary: "Keep a repository or a tag from every cleanup",
        body: HoldBody,
        response: { 201: HoldShape },
      },
    },
    async (request, reply) => {
      const { tenantId, accountId, owners } = principalOf(request);
      const { repositoryId, tag = "", reason, until = null } = request.body;
      const hold = await store.tenant(tenantId, async (db) => {
        if ((await getRepository(db, repositoryId, owners)) === undefined) throw notFound("repository", repositoryId);
        const id = await addHold(db, { repositoryId, tag, reason, until, accountId });
        await audit(db, request, "cleanup.hold", `repository/${repositoryId}`, { tag, reason });
        return (await listHolds(db)).find((each) => each.id === id);
      });
      if (hold === undefined) throw new Error("a hold was not kept");
      return reply.status(201).send(hold);
    },
  );

  app.delete(
    "/api/v1/cleanup-holds/:id",
    {
      config: write,
      schema: {
        tags,
        operationId: "removeHold",
        summary: "Let cleanups take what was held",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { tenantId } = principalOf(request);
      const { id } = request.params;
      await store.tenant(tenantId, async (db) => {
        if (!(await removeHold(db, id))) throw notFound("hold", id);
        await audit(db, request, "cleanup.release", `hold/${id}`);
      });
      return reply.code(204).send(null);
    },
  );
};

async function oneCleanup(db: TenantQueries, id: number) {
  const [cleanup] = await listCleanups(db, { id, limit: 1 });
  if (cleanup === undefined) throw notFound("cleanup", id);
  return cleanup;
}
