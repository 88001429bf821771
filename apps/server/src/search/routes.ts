import { principalOf } from "../access.ts";
import { itemOf } from "../images/reference.ts";
import { decodeCursor, encodeCursor } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { searchEstate } from "./search.ts";
import { SearchPageShape, SearchResultShape } from "./shapes.ts";

/** The emergency search. It changes nothing, so it needs no right to write. */
export const searchRoutes: Routes = async (app, { deps }) => {
  app.post(
    "/api/v1/search",
    {
      config: { scope: "images:read", unaudited: "it only reads" },
      schema: {
        tags: ["search"],
        operationId: "searchEstate",
        summary:
          "Everything that holds a component in a range of versions, or a vulnerability: images, layers, bases, owners",
        body: SearchPageShape,
        response: { 200: SearchResultShape },
      },
    },
    async (request) => {
      const { tenantId, owners } = principalOf(request);
      const { cursor, ...query } = request.body;
      const after = decodeCursor(cursor, ["number", "integer"]) as readonly [number, number] | undefined;
      const { next, ...found } = await deps.store.tenant(tenantId, (db) => searchEstate(db, query, owners, after));
      return {
        ...found,
        images: found.images.map(itemOf),
        ...(next === undefined ? {} : { next: encodeCursor([...next]) }),
      };
    },
  );
};
