import { compileCondition } from "@bulwark/policy";
import { listAutomaticResponses, putAutomaticResponse, removeAutomaticResponse } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { IdParams } from "../id.ts";
import { List } from "../list.ts";
import type { Routes } from "../routes.ts";
import { AUTOMATIC_ACTIONS } from "./automatic.ts";

const Text = Type.String();
const Mode = Type.Enum(["off", "dry-run", "approve", "act"]);

const AutomaticShape = Type.Object({
  id: Type.Integer(),
  name: Text,
  condition: Text,
  actions: List(Text),
  mode: Mode,
  perHour: Type.Integer(),
  createdBy: Text,
  createdAt: Text,
});

/** Automatic responses: what happens by itself when an alert meets a condition. */
export const automaticResponseRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;
  const tags = ["responses"];

  app.get(
    "/api/v1/automatic-responses",
    {
      config: { scope: "responses:read" },
      schema: {
        tags,
        operationId: "listAutomaticResponses",
        summary: "Automatic responses",
        response: { 200: Type.Object({ items: List(AutomaticShape) }) },
      },
    },
    async (request) => ({ items: await store.tenant(principalOf(request).tenantId, listAutomaticResponses) }),
  );

  app.put(
    "/api/v1/automatic-responses",
    {
      config: { scope: "responses:approve" },
      schema: {
        tags,
        operationId: "putAutomaticResponse",
        summary: "Add an automatic response, or change the one of this name",
        body: Type.Object(
          {
            name: Type.String({ minLength: 1, maxLength: 100 }),
            condition: Type.String({
              minLength: 1,
              maxLength: 4_000,
              description: 'CEL over `alert`, such as alert.severity == "critical" && "T1611" in alert.techniques',
            }),
            actions: Type.Array(Type.Enum([...AUTOMATIC_ACTIONS]), { minItems: 1, maxItems: 6 }),
            mode: Type.Optional(Mode),
            perHour: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: 10 })),
          },
          { additionalProperties: false },
        ),
        response: { 200: AutomaticShape },
      },
    },
    async (request) => {
      const { tenantId, name: by } = principalOf(request);
      // Somebody who tries a condition out has nothing happen yet.
      const { name, condition, actions, mode = "dry-run", perHour = 10 } = request.body;
      checkCondition(condition);
      return store.tenant(tenantId, async (db) => {
        const made = await putAutomaticResponse(db, { name, condition, actions, mode, perHour, by, now: clock() });
        await audit(db, request, "automatic-response.put", `automatic-response/${made.id}`, {
          name,
          condition,
          mode,
          perHour,
        });
        return made;
      });
    },
  );

  app.delete(
    "/api/v1/automatic-responses/:id",
    {
      config: { scope: "responses:approve" },
      schema: {
        tags,
        operationId: "removeAutomaticResponse",
        summary: "Take an automatic response out",
        params: IdParams,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await store.tenant(principalOf(request).tenantId, async (db) => {
        const name = await removeAutomaticResponse(db, id);
        if (name === undefined) throw notFound("automatic response", id);
        await audit(db, request, "automatic-response.remove", `automatic-response/${id}`, { name });
      });
      return reply.status(204).send(null);
    },
  );
};

function checkCondition(condition: string): void {
  try {
    compileCondition("alert", condition);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ServerError("INVALID_REQUEST", why, "correct the condition", cause);
  }
}
