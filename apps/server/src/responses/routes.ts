import {
  announce,
  approveResponse,
  findContainer,
  getAlert,
  getEvidence,
  getNode,
  listResponses,
  refuseResponse,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { type Principal, principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import type { Action } from "../gateway/orders.ts";
import { Id, IdParams } from "../id.ts";
import { List } from "../list.ts";
import { listOf } from "../list-parameter.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { ACTION_RULES, ACTIONS, ASKED_ACTIONS } from "./actions.ts";
import { askResponse, foundResponse, undoing } from "./ask-response.ts";

const STATES = ["waiting", "queued", "sent", "done", "unchanged", "failed", "refused", "expired", "dry-run"] as const;
const EXPIRES_MS = 10 * 60_000;
const Text = Type.String();

const ResponseShape = Type.Object({
  id: Type.Integer(),
  nodeId: Type.Integer(),
  hostname: Text,
  container: Text,
  containerName: Text,
  action: Type.Enum([...ACTIONS]),
  parameters: Type.Record(Text, Type.Unknown()),
  alertId: Type.Union([Type.Integer(), Type.Null()]),
  automatic: Text,
  state: Type.Enum([...STATES]),
  askedBy: Text,
  approvedBy: Text,
  reason: Text,
  createdAt: Text,
  expiresAt: Text,
  finishedAt: Type.Union([Text, Type.Null()]),
  detail: Text,
  facts: Type.Record(Text, Type.Unknown()),
  undoesId: Type.Union([Type.Integer(), Type.Null()]),
  undoneBy: Type.Union([Type.Integer(), Type.Null()]),
  undoable: Type.Boolean(),
  evidence: List(Type.Object({ id: Type.Integer(), name: Text, sizeBytes: Type.Integer() })),
});

const AskBody = Type.Object(
  {
    action: Type.Enum(ASKED_ACTIONS),
    alertId: Type.Optional({ ...Id, description: "acts on what this alert is about" }),
    nodeId: Type.Optional(Id),
    container: Type.Optional(Type.String({ maxLength: 200, description: "the runtime's id" })),
    parameters: Type.Optional(Type.Record(Text, Type.Unknown())),
    reason: Type.Optional(Type.String({ maxLength: 2_000 })),
    evidence: Type.Optional(Type.Boolean({ default: true, description: "captured before something is ended" })),
  },
  { additionalProperties: false },
);

/** Responses: what nodes were asked to do about containers and processes, and what came of it. */
export const responseRoutes: Routes = async (app, { deps }) => {
  const { store, secrets, clock } = deps;
  const tags = ["responses"];

  app.get(
    "/api/v1/responses",
    {
      config: { scope: "responses:read" },
      schema: {
        tags,
        operationId: "listResponses",
        summary: "Responses, the newest first",
        querystring: Type.Object({
          ...PageQuery,
          container: Type.Optional(Type.String({ maxLength: 200 })),
          alertId: Type.Optional(Id),
          states: Type.Optional(Type.String({ maxLength: 200, description: STATES.join(",") })),
        }),
        response: { 200: PageOf(ResponseShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, states, ...rest } = request.query;
      const before = idOfCursor(cursor);
      const wanted = listOf(states, STATES);
      const filter = { ...rest, states: wanted.length === 0 ? undefined : wanted, before, limit: limit + 1 };
      const rows = await store.tenant(principalOf(request).tenantId, (db) => listResponses(db, filter));
      return pageOf(rows, limit, ({ id }) => [id], shown);
    },
  );

  app.get(
    "/api/v1/responses/:id",
    {
      config: { scope: "responses:read" },
      schema: {
        tags,
        operationId: "getResponse",
        summary: "A response and its outcome",
        params: IdParams,
        response: { 200: ResponseShape },
      },
    },
    async (request) =>
      shown(await store.tenant(principalOf(request).tenantId, (db) => foundResponse(db, request.params.id))),
  );

  app.post(
    "/api/v1/responses",
    {
      config: { scope: "responses:write" },
      schema: {
        tags,
        operationId: "askResponse",
        summary: "Kill, pause, isolate, stop, destroy, quarantine or capture evidence; some wait for a second person",
        body: AskBody,
        response: { 201: ResponseShape },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { action, reason = "", evidence = true, alertId } = request.body;
      const made = await store.tenant(principal.tenantId, async (db) => {
        const place = await placeOf(db, request.body);
        const id = await askResponse(
          db,
          {
            ...{ tenantId: principal.tenantId, askedBy: principal.name, action, alertId, reason, evidence },
            ...place,
            state: needsApproval(action, principal) ? "waiting" : "queued",
          },
          { secrets, now: clock() },
        );
        const { container, nodeId } = place;
        await audit(db, request, `response.${action}`, `response/${id}`, { container, node: nodeId, reason, alertId });
        return foundResponse(db, id);
      });
      return reply.status(201).send(shown(made));
    },
  );

  app.post(
    "/api/v1/responses/:id/approve",
    {
      config: { scope: "responses:approve" },
      schema: {
        tags,
        operationId: "approveResponse",
        summary: "Let happen what somebody else, or an automatic response, asked for",
        params: IdParams,
        response: { 200: ResponseShape },
      },
    },
    async (request) => {
      const { tenantId, name } = principalOf(request);
      const { id } = request.params;
      return store.tenant(tenantId, async (db) => {
        const { state, askedBy, nodeId } = await foundResponse(db, id);
        const expiresAt = new Date(clock().getTime() + EXPIRES_MS);
        if (!(await approveResponse(db, id, { name, expiresAt }))) {
          const why =
            state === "waiting" && askedBy === name ? "nobody approves what they asked for" : `it is ${state}`;
          throw new ServerError(
            "CONFLICT",
            `response ${id} cannot be approved: ${why}`,
            "let somebody else approve it",
          );
        }
        await announce(db, { topic: "orders", id: nodeId });
        await announce(db, { topic: "responses", id });
        await audit(db, request, "response.approve", `response/${id}`, {});
        return shown(await foundResponse(db, id));
      });
    },
  );

  app.post(
    "/api/v1/responses/:id/refuse",
    {
      config: { scope: "responses:write" },
      schema: {
        tags,
        operationId: "refuseResponse",
        summary: "Take back what has not been sent",
        params: IdParams,
        response: { 200: ResponseShape },
      },
    },
    async (request) => {
      const { tenantId, name } = principalOf(request);
      const { id } = request.params;
      return store.tenant(tenantId, async (db) => {
        const { state } = await foundResponse(db, id);
        if (!(await refuseResponse(db, id, name, clock()))) {
          throw new ServerError("CONFLICT", `response ${id} is ${state} already`, "undo it instead");
        }
        await announce(db, { topic: "responses", id });
        await audit(db, request, "response.refuse", `response/${id}`, {});
        return shown(await foundResponse(db, id));
      });
    },
  );

  app.post(
    "/api/v1/responses/:id/undo",
    {
      config: { scope: "responses:write" },
      schema: {
        tags,
        operationId: "undoResponse",
        summary: "Undo a response: resume, restore the network, give a file back",
        params: IdParams,
        response: { 201: ResponseShape },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { id } = request.params;
      const made = await store.tenant(principal.tenantId, async (db) => {
        const before = await foundResponse(db, id);
        const { action, parameters } = undoing(before);
        const { nodeId, container, alertId } = before;
        const place = { nodeId, container, ...(alertId === null ? {} : { alertId }) };
        const undo = await askResponse(
          db,
          {
            ...{ tenantId: principal.tenantId, askedBy: principal.name, action, parameters, reason: `undoes ${id}` },
            ...{ ...place, state: "queued", evidence: false, undoesId: id },
          },
          { secrets, now: clock() },
        );
        await audit(db, request, "response.undo", `response/${id}`, { action, undo });
        return foundResponse(db, undo);
      });
      return reply.status(201).send(shown(made));
    },
  );

  app.get(
    "/api/v1/evidence/:id",
    {
      config: { scope: "responses:read" },
      schema: {
        tags,
        operationId: "getEvidence",
        summary: "A piece of evidence, as a file",
        params: IdParams,
        produces: ["application/octet-stream"],
        response: { 200: Type.Unknown() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const evidence = await store.tenant(principalOf(request).tenantId, (db) => getEvidence(db, id));
      if (evidence === undefined) throw notFound("evidence", id);
      const name = evidence.name.replace(/[^A-Za-z0-9._-]/g, "_").slice(0, 100);
      reply.header("content-disposition", `attachment; filename="${name}"`);
      return reply.type("application/octet-stream").send(evidence.content);
    },
  );
};

function needsApproval(action: Action, { scopes }: Principal): boolean {
  return ACTION_RULES[action].needsApproval && !scopes.has("responses:approve");
}

/** Where to act and on what: as the request says, filled in from its alert. */
async function placeOf(
  db: TenantQueries,
  body: { action: string; alertId?: number; nodeId?: number; container?: string; parameters?: Record<string, unknown> },
) {
  const alert = body.alertId === undefined ? undefined : await getAlert(db, body.alertId);
  if (body.alertId !== undefined && alert === undefined) throw notFound("alert", body.alertId);
  const nodeId = body.nodeId ?? alert?.nodeId ?? undefined;
  if (nodeId === undefined && alert !== undefined)
    throw new ServerError(
      "INVALID_REQUEST",
      "no sensor watches what the alert concerns",
      "install the sensor on the pod's node, or act in the cluster",
    );
  if (nodeId === undefined)
    throw new ServerError("INVALID_REQUEST", "neither an alert nor a node is named", "name one");
  if ((await getNode(db, nodeId)) === undefined) throw notFound("node", nodeId);
  const container = body.container ?? alert?.container ?? "";
  const isKnown = container === "" || (await findContainer(db, nodeId, container)) !== undefined;
  if (!isKnown && alert === undefined) throw notFound("container", container);
  const isKill = body.action === "kill-process" && alert !== undefined && body.parameters === undefined;
  const parameters = isKill ? { pid: alert.pid, startUs: alert.processStart } : (body.parameters ?? {});
  return { nodeId, container, parameters };
}

function shown({ uid: _, ...response }: Awaited<ReturnType<typeof foundResponse>>) {
  const action = response.action as Action;
  const isDone = response.state === "done" || response.state === "unchanged";
  const undoable = isDone && response.undoneBy === null && ACTION_RULES[action].undoneBy !== undefined;
  return { ...response, action, undoable };
}
