import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { ServerError } from "../errors.ts";
import type { Routes } from "../routes.ts";
import { readBound, readTenantRetention, writeTenantRetention } from "./retention.ts";

const MAX_DAYS = 3_650;

const RetentionShape = Type.Object({
  days: Type.Union([Type.Integer(), Type.Null()], { description: "null: as long as the installation keeps them" }),
  bound: Type.Union([Type.Object({ days: Type.Integer(), gib: Type.Number() }), Type.Null()], {
    description: "of the whole installation; null while no worker has told it",
  }),
});

/** How long a tenant keeps its events, within what the installation keeps. */
export const retentionRoutes: Routes = async (app, { deps }) => {
  const { store } = deps;
  const tags = ["runtime events"];

  app.get(
    "/api/v1/runtime-retention",
    {
      config: { scope: "runtime:read" },
      schema: {
        tags,
        operationId: "getRuntimeRetention",
        summary: "How long events are kept",
        response: { 200: RetentionShape },
      },
    },
    async (request) => {
      const { days } = await store.tenant(principalOf(request).tenantId, readTenantRetention);
      return { days, bound: await readBound(store) };
    },
  );

  app.put(
    "/api/v1/runtime-retention",
    {
      config: { scope: "admin:write" },
      schema: {
        tags,
        operationId: "setRuntimeRetention",
        summary: "Keep events for a shorter time than the installation does; today and yesterday stay",
        body: Type.Object(
          {
            days: Type.Optional(
              Type.Integer({
                minimum: 1,
                maximum: MAX_DAYS,
                description: "left out: as long as the installation does",
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: RetentionShape },
      },
    },
    async (request) => {
      const { tenantId } = principalOf(request);
      const { days = null } = request.body;
      const bound = await readBound(store);
      if (bound !== null && days !== null && days > bound.days) {
        const what = `events are kept for ${bound.days} days at most on this installation`;
        throw new ServerError("CONFLICT", what, "choose fewer, or have its operator raise --keep-events-days");
      }
      await store.tenant(tenantId, async (db) => {
        const { droppedUntil } = await readTenantRetention(db);
        await writeTenantRetention(db, tenantId, { days, ...(droppedUntil === undefined ? {} : { droppedUntil }) });
        await audit(db, request, "runtime-retention.set", `tenant/${tenantId}`, { days });
      });
      return { days, bound };
    },
  );
};
