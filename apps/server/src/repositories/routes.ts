import { getRepository, listRepositories, setPlace } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { demandOwner } from "../owners/demand-owner.ts";
import { DEFAULT_PAGE, decodeCursor, PageOf, PageQuery, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";

const Named = Type.Object({ id: Type.Integer(), name: Type.String() });
const Labels = Type.Record(Type.String({ maxLength: 100 }), Type.String({ maxLength: 1_000 }));

const RepositoryShape = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  registry: Named,
  firstSeen: Type.String(),
  goneAt: Type.Union([Type.String(), Type.Null()]),
  owner: Type.Union([Named, Type.Null()], { description: "its own, or its registry's" }),
  grade: Type.Union([Type.String(), Type.Null()]),
  labels: Type.Record(Type.String(), Type.String()),
  tags: Type.Integer(),
  images: Type.Integer(),
  critical: Type.Integer({ description: "critical flaws of its images, summed" }),
  high: Type.Integer(),
});

const RepositoryChange = Type.Object(
  {
    ownerId: Type.Optional(Type.Union([Id, Type.Null()])),
    grade: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 40 }), Type.Null()])),
    labels: Type.Optional(Labels),
  },
  { additionalProperties: false },
);

/** Repositories: whose they are, and how much depends on them. */
export const repositoryRoutes: Routes = async (app, { deps }) => {
  const { store } = deps;
  const tags = ["repositories"];

  app.get(
    "/api/v1/repositories",
    {
      config: { scope: "images:read" },
      schema: {
        tags,
        operationId: "listRepositories",
        summary: "Repositories by name",
        querystring: Type.Object({
          ...PageQuery,
          search: Type.Optional(Type.String({ maxLength: 255 })),
          registry: Type.Optional(Id),
        }),
        response: { 200: PageOf(RepositoryShape) },
      },
    },
    async (request) => {
      const { tenantId, owners: sight } = principalOf(request);
      const { cursor, limit = DEFAULT_PAGE, search, registry } = request.query;
      const keys = decodeCursor(cursor, ["string", "integer"]) as readonly [string, number] | undefined;
      const after = keys === undefined ? undefined : { name: keys[0], id: keys[1] };
      const filter = { sight, search, registry, after, limit: limit + 1 };
      const rows = await store.tenant(tenantId, (db) => listRepositories(db, filter));
      return pageOf(
        rows,
        limit,
        ({ name, id }) => [name, id],
        (row) => row,
      );
    },
  );

  app.patch(
    "/api/v1/repositories/:id",
    {
      config: { scope: "images:write" },
      schema: {
        tags,
        operationId: "changeRepository",
        summary: "Give a repository an owner, a business grade or labels; its images inherit them",
        params: IdParams,
        body: RepositoryChange,
        response: { 200: RepositoryShape },
      },
    },
    async (request) => {
      const { tenantId, owners } = principalOf(request);
      const { id } = request.params;
      const { ownerId, grade, labels } = request.body;
      return store.tenant(tenantId, async (db) => {
        if ((await getRepository(db, id, owners)) === undefined) throw notFound("repository", id);
        await demandOwner(db, ownerId);
        await setPlace(db, "repository", id, {
          ...(ownerId === undefined ? {} : { ownerId }),
          ...(grade === undefined ? {} : { grade }),
          ...(labels === undefined ? {} : { labels }),
        });
        await audit(db, request, "repository.change", `repository/${id}`, {
          fields: Object.keys(request.body).join(" "),
        });
        const changed = await getRepository(db, id, undefined);
        if (changed === undefined) throw notFound("repository", id);
        return changed;
      });
    },
  );
};
