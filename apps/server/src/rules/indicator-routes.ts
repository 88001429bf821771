import { readIndicators } from "@bulwark/detect";
import { addIndicators, announce, listIndicators, removeIndicators } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound } from "../errors.ts";
import { IdParams } from "../id.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageById } from "../paging.ts";
import type { Routes } from "../routes.ts";

const DAY_MS = 86_400_000;
const MAX_LIST_CHARACTERS = 900_000;
const Text = Type.String();

const IndicatorShape = Type.Object({
  id: Type.Integer(),
  kind: Type.Enum(["address", "network", "domain", "sha256"]),
  value: Text,
  source: Text,
  expiresAt: Type.Union([Text, Type.Null()]),
  createdAt: Text,
});

/** Indicators: addresses, networks, domains and programs that are known to be hostile. */
export const indicatorRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;
  const tags = ["indicators"];

  app.get(
    "/api/v1/indicators",
    {
      config: { scope: "runtime:read" },
      schema: {
        tags,
        operationId: "listIndicators",
        summary: "Indicators that still count",
        querystring: Type.Object(PageQuery),
        response: { 200: PageOf(IndicatorShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE } = request.query;
      const after = idOfCursor(cursor);
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listIndicators(db, { after, limit: limit + 1, now: clock() }),
      );
      return pageById(rows, limit);
    },
  );

  app.post(
    "/api/v1/indicators",
    {
      config: { scope: "runtime:write" },
      schema: {
        tags,
        operationId: "addIndicators",
        summary:
          "Add a list: one a line, or the first column of a CSV; what is known already lasts as long as the new list says",
        body: Type.Object(
          {
            source: Type.String({ minLength: 1, maxLength: 100 }),
            list: Type.String({ minLength: 1, maxLength: MAX_LIST_CHARACTERS }),
            days: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_650, description: "left out: they never end" })),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            read: Type.Integer(),
            changed: Type.Integer(),
            refused: Type.Integer({ description: "lines that are no indicator" }),
          }),
        },
      },
    },
    async (request) => {
      const { source, list, days } = request.body;
      const now = clock();
      const expiresAt = days === undefined ? null : new Date(now.getTime() + days * DAY_MS);
      const { indicators, refused } = readIndicators(list, source, null);
      return store.tenant(principalOf(request).tenantId, async (db) => {
        const rows = indicators.map(({ kind, value }) => ({ kind, value, source, expiresAt }));
        const changed = await addIndicators(db, rows, now);
        await announce(db, { topic: "policies", id: "" });
        await audit(db, request, "indicator.add", `indicator/${source}`, { read: indicators.length, changed, refused });
        return { read: indicators.length, changed, refused };
      });
    },
  );

  app.delete(
    "/api/v1/indicators/:id",
    {
      config: { scope: "runtime:write" },
      schema: {
        tags,
        operationId: "removeIndicator",
        summary: "Take an indicator out",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        if ((await removeIndicators(db, { id })) === 0) throw notFound("indicator", id);
        await announce(db, { topic: "policies", id: "" });
        await audit(db, request, "indicator.remove", `indicator/${id}`, {});
      });
      return reply.status(204).send(null);
    },
  );
};
