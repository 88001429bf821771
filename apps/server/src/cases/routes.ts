import {
  addCase,
  caseCurve,
  caseImages,
  changeCase,
  getCase,
  type IncidentCase,
  listCases,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound } from "../errors.ts";
import { IdParams } from "../id.ts";
import { List } from "../list.ts";
import { DEFAULT_PAGE, decodeCursor, PageOf, PageQuery, pageById } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { findSubjects } from "../search/search.ts";
import { SearchQueryShape } from "../search/shapes.ts";
import { csvOf } from "./csv.ts";
import { lookAgain } from "./refresh-cases.ts";

const N = Type.Integer();
const Text = Type.String();
const MaybeText = Type.Union([Type.String(), Type.Null()]);

const CaseShape = Type.Object({
  id: N,
  title: Text,
  query: Type.Record(Type.String(), Type.String()),
  createdBy: Text,
  createdAt: Text,
  closedAt: MaybeText,
  note: Text,
  open: N,
  closed: N,
});
const CaseImageShape = Type.Object({
  digest: Text,
  registry: Text,
  repository: Text,
  tags: List(Text),
  owner: Text,
  firstSeen: Text,
  closedAt: MaybeText,
});
const Title = Type.String({ minLength: 1, maxLength: 200 });
const Note = Type.String({ maxLength: 20_000 });

/** Cases: emergency searches that are watched until nothing matches them any more. */
export const caseRoutes: Routes = async (app, { deps }) => {
  const { store } = deps;
  const tags = ["cases"];
  const read = { scope: "findings:read" } as const;
  const write = { scope: "findings:write" } as const;

  app.get(
    "/api/v1/cases",
    {
      config: read,
      schema: {
        tags,
        operationId: "listCases",
        summary: "Cases, the newest first",
        querystring: Type.Object({ ...PageQuery, open: Type.Optional(Type.Boolean()) }),
        response: { 200: PageOf(CaseShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, open = false } = request.query;
      const after = decodeCursor(cursor, ["integer"]) as readonly [number] | undefined;
      const before = after === undefined ? {} : { before: after[0] };
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listCases(db, { openOnly: open, ...before, limit: limit + 1 }),
      );
      return pageById(rows, limit);
    },
  );

  app.post(
    "/api/v1/cases",
    {
      config: write,
      schema: {
        tags,
        operationId: "openCase",
        summary: "Save an emergency search and watch it",
        body: Type.Object(
          { title: Title, query: SearchQueryShape, note: Type.Optional(Note) },
          { additionalProperties: false },
        ),
        response: { 201: CaseShape },
      },
    },
    async (request, reply) => {
      const { tenantId, name } = principalOf(request);
      const { title, query, note } = request.body;
      const made = await store.tenant(tenantId, async (db) => {
        await findSubjects(db, query); // refuses a query that means nothing before anything is written
        const id = await addCase(db, { title, query, createdBy: name, now: deps.clock() });
        if (note !== undefined) await changeCase(db, id, { note });
        await lookAgain(db, { id, query: query as IncidentCase["query"] }, deps.clock());
        const opened = await found(db, id);
        await audit(db, request, "case.open", `case/${id}`, { title });
        return opened;
      });
      return reply.status(201).send(made);
    },
  );

  app.get(
    "/api/v1/cases/:id",
    {
      config: read,
      schema: { tags, operationId: "getCase", summary: "One case", params: IdParams, response: { 200: CaseShape } },
    },
    async (request) => store.tenant(principalOf(request).tenantId, (db) => found(db, request.params.id)),
  );

  app.patch(
    "/api/v1/cases/:id",
    {
      config: write,
      schema: {
        tags,
        operationId: "changeCase",
        summary: "Change a case's title or note; closing is left to scans",
        params: IdParams,
        body: Type.Object({ title: Type.Optional(Title), note: Type.Optional(Note) }, { additionalProperties: false }),
        response: { 200: CaseShape },
      },
    },
    async (request) =>
      store.tenant(principalOf(request).tenantId, async (db) => {
        const { id } = request.params;
        await found(db, id);
        await changeCase(db, id, request.body);
        const changed = await found(db, id);
        await audit(db, request, "case.change", `case/${id}`, { fields: Object.keys(request.body).join(" ") });
        return changed;
      }),
  );

  app.get(
    "/api/v1/cases/:id/curve",
    {
      config: read,
      schema: {
        tags,
        operationId: "getCaseCurve",
        summary: "How many images were open and closed at which time",
        params: IdParams,
        response: { 200: Type.Object({ points: List(Type.Object({ at: Text, open: N, closed: N })) }) },
      },
    },
    async (request) =>
      store.tenant(principalOf(request).tenantId, async (db) => {
        await found(db, request.params.id);
        return { points: await caseCurve(db, request.params.id) };
      }),
  );

  app.get(
    "/api/v1/cases/:id/images",
    {
      config: read,
      schema: {
        tags,
        operationId: "listCaseImages",
        summary: "Every image that the case found, open ones first",
        params: IdParams,
        response: { 200: PageOf(CaseImageShape) },
      },
    },
    async (request) =>
      store.tenant(principalOf(request).tenantId, async (db) => {
        await found(db, request.params.id);
        return { items: await caseImages(db, request.params.id) };
      }),
  );

  app.get(
    "/api/v1/cases/:id/export",
    {
      config: read,
      schema: {
        tags,
        operationId: "exportCase",
        summary: "The images of a case as CSV",
        params: IdParams,
        produces: ["text/csv"],
      },
    },
    async (request, reply) => {
      const rows = await store.tenant(principalOf(request).tenantId, async (db) => {
        await found(db, request.params.id);
        return caseImages(db, request.params.id);
      });
      const head = ["registry", "repository", "tags", "digest", "owner", "firstSeen", "closedAt"];
      const lines = rows.map((row) => [
        row.registry,
        row.repository,
        row.tags.join(" "),
        row.digest,
        row.owner,
        row.firstSeen,
        row.closedAt ?? "",
      ]);
      reply
        .type("text/csv; charset=utf-8")
        .header("content-disposition", `attachment; filename="case-${request.params.id}.csv"`);
      return reply.send(csvOf([head, ...lines]));
    },
  );
};

async function found(db: TenantQueries, id: number): Promise<IncidentCase> {
  const made = await getCase(db, id);
  if (made === undefined) throw notFound("case", id);
  return made;
}
