import { getDelivery, listDeliveries, retryDelivery } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageById } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { DeliveryDetailShape, DeliveryShape } from "./shapes.ts";

/** Deliveries: what was sent to whom, what waits, and what did not arrive and why. */
export const deliveryRoutes: Routes = async (app, { deps }) => {
  const { store } = deps;
  const tags = ["notifications"];
  const read = { scope: "notifications:read" } as const;

  app.get(
    "/api/v1/deliveries",
    {
      config: read,
      schema: {
        tags,
        operationId: "listDeliveries",
        summary: "Deliveries, the newest first",
        querystring: Type.Object({
          ...PageQuery,
          state: Type.Optional(Type.Enum(["waiting", "delivered", "failed"])),
          channel: Type.Optional(Id),
        }),
        response: { 200: PageOf(DeliveryShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, state, channel: channelId } = request.query;
      const before = idOfCursor(cursor);
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listDeliveries(db, { state, channelId, before, limit: limit + 1 }),
      );
      return pageById(rows, limit);
    },
  );

  app.get(
    "/api/v1/deliveries/:id",
    {
      config: read,
      schema: {
        tags,
        operationId: "getDelivery",
        summary: "One delivery, with every attempt",
        params: IdParams,
        response: { 200: DeliveryDetailShape },
      },
    },
    async (request) => {
      const { id } = request.params;
      const delivery = await store.tenant(principalOf(request).tenantId, (db) => getDelivery(db, id));
      if (delivery === undefined) throw notFound("delivery", id);
      return delivery;
    },
  );

  app.post(
    "/api/v1/deliveries/:id/retry",
    {
      config: { scope: "notifications:write" },
      schema: {
        tags,
        operationId: "retryDelivery",
        summary: "Try a delivery that failed anew",
        params: IdParams,
        response: { 200: DeliveryDetailShape },
      },
    },
    async (request) => {
      const { id } = request.params;
      return store.tenant(principalOf(request).tenantId, async (db) => {
        const before = await getDelivery(db, id);
        if (before === undefined) throw notFound("delivery", id);
        if (!(await retryDelivery(db, id, deps.clock()))) {
          throw new ServerError("CONFLICT", `the delivery ${id} is ${before.state}`, "only what failed is tried anew");
        }
        await audit(db, request, "delivery.retry", `delivery/${id}`, { channel: before.channel });
        return (await getDelivery(db, id)) ?? before;
      });
    },
  );
};
