import { cancelRebuild, listRebuilds } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { List } from "../list.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageById } from "../paging.ts";
import type { Routes } from "../routes.ts";

const STATES = ["open", "done", "cancelled"] as const;
const Text = Type.String();

const RebuildShape = Type.Object({
  id: Type.Integer(),
  state: Type.Enum([...STATES]),
  repository: Type.Object({ id: Type.Integer(), name: Text, registry: Text }),
  owner: Type.Union([Type.Object({ id: Type.Integer(), name: Text }), Type.Null()]),
  base: Type.Object({ repository: Text, registry: Text, tag: Text, from: Text, to: Text }),
  findings: List(Text),
  openedAt: Text,
  closedAt: Type.Union([Text, Type.Null()]),
  reopened: Type.Integer({ description: "how often its findings came back" }),
});

/** What is to be built anew because its base was fixed. They open and close by themselves. */
export const rebuildRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;
  const tags = ["rebuilds"];

  app.get(
    "/api/v1/rebuilds",
    {
      config: { scope: "findings:read" },
      schema: {
        tags,
        operationId: "listRebuilds",
        summary: "Repositories to be rebuilt on a fixed base, the newest first",
        querystring: Type.Object({
          ...PageQuery,
          state: Type.Optional(Type.Enum([...STATES])),
          owner: Type.Optional(Id),
        }),
        response: { 200: PageOf(RebuildShape) },
      },
    },
    async (request) => {
      const { tenantId, owners: sight } = principalOf(request);
      const { cursor, limit = DEFAULT_PAGE, state, owner } = request.query;
      const after = idOfCursor(cursor);
      const rows = await store.tenant(tenantId, (db) =>
        listRebuilds(db, {
          sight,
          limit: limit + 1,
          ...(state === undefined ? {} : { state }),
          ...(owner === undefined ? {} : { ownerId: owner }),
          ...(after === undefined ? {} : { after }),
        }),
      );
      return pageById(rows, limit);
    },
  );

  app.delete(
    "/api/v1/rebuilds/:id",
    {
      config: { scope: "findings:write" },
      schema: {
        tags,
        operationId: "cancelRebuild",
        summary: "Give up a rebuild that nobody will do",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { tenantId, owners } = principalOf(request);
      const { id } = request.params;
      await store.tenant(tenantId, async (db) => {
        if (!(await cancelRebuild(db, id, owners, clock()))) throw notFound("open rebuild", id);
        await audit(db, request, "rebuild.cancel", `rebuild/${id}`);
      });
      return reply.code(204).send(null);
    },
  );
};
