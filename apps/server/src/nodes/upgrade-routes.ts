import {
  addSensorUpgrade,
  announce,
  endSensorUpgrade,
  getSensorUpgrade,
  listSensorPrograms,
  listSensorUpgrades,
  refuseResponse,
  type TenantQueries,
} from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound, ServerError } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { List } from "../list.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { advanceUpgrade } from "./advance-upgrade.ts";
import { VERSION } from "./program-routes.ts";

const MAX_NODES = 10_000;
const NODE_STATES = ["pending", "skipped", "queued", "sent", "done", "unchanged", "failed", "refused", "expired"];
const Text = Type.String();
const MaybeText = Type.Union([Text, Type.Null()]);

const UpgradeShape = Type.Object({
  id: Type.Integer(),
  version: Text,
  wave: Type.Integer(),
  stopOnFailure: Type.Boolean(),
  state: Type.Enum(["running", "done", "stopped", "cancelled"]),
  askedBy: Text,
  createdAt: Text,
  finishedAt: MaybeText,
  nodes: List(
    Type.Object({
      nodeId: Type.Integer(),
      hostname: Text,
      connected: Type.Boolean(),
      architecture: Text,
      versionBefore: Text,
      state: Type.Enum(NODE_STATES),
      responseId: Type.Union([Type.Integer(), Type.Null()]),
      detail: Text,
      rolledBack: Type.Boolean({ description: "the new program was tried, and the one of before put back" }),
      finishedAt: MaybeText,
    }),
  ),
});

const UpgradeBody = Type.Object(
  {
    version: Type.String({ pattern: VERSION, description: "of a program that was given" }),
    nodeIds: Type.Array(Id, { minItems: 1, maxItems: MAX_NODES, description: "in this order" }),
    wave: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 1, description: "nodes at a time" })),
    stopOnFailure: Type.Optional(Type.Boolean({ default: true })),
  },
  { additionalProperties: false },
);

/** Upgrades of sensors: a wave of nodes after the other. */
export const sensorUpgradeRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;
  const tags = ["nodes"];

  app.get(
    "/api/v1/sensor-upgrades",
    {
      config: { scope: "runtime:read" },
      schema: {
        tags,
        operationId: "listSensorUpgrades",
        summary: "Upgrades of sensors, the newest first",
        querystring: Type.Object({ ...PageQuery, nodeId: Type.Optional(Id) }),
        response: { 200: PageOf(UpgradeShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, nodeId } = request.query;
      const page = { before: idOfCursor(cursor), nodeId, limit: limit + 1 };
      const rows = await store.tenant(principalOf(request).tenantId, (db) => listSensorUpgrades(db, page));
      return pageOf(
        rows,
        limit,
        ({ id }) => [id],
        (upgrade) => upgrade,
      );
    },
  );

  app.get(
    "/api/v1/sensor-upgrades/:id",
    {
      config: { scope: "runtime:read" },
      schema: {
        tags,
        operationId: "getSensorUpgrade",
        summary: "An upgrade, and how it stands with each node",
        params: IdParams,
        response: { 200: UpgradeShape },
      },
    },
    async (request) => store.tenant(principalOf(request).tenantId, (db) => found(db, request.params.id)),
  );

  app.post(
    "/api/v1/sensor-upgrades",
    {
      config: { scope: "admin:write" },
      schema: {
        tags,
        operationId: "startSensorUpgrade",
        summary: "Upgrade the sensors of nodes, some at a time; a failure keeps the rest as they are",
        body: UpgradeBody,
        response: { 201: UpgradeShape },
      },
    },
    async (request, reply) => {
      const { tenantId, name: askedBy } = principalOf(request);
      const { version, wave = 1, stopOnFailure = true } = request.body;
      const nodeIds = [...new Set(request.body.nodeIds)];
      const made = await store.tenant(tenantId, async (db) => {
        const programs = await listSensorPrograms(db);
        if (!programs.some((program) => program.version === version)) throw notFound("sensor program", version);
        const now = clock();
        const id = await addSensorUpgrade(db, { version, wave, stopOnFailure, nodeIds, askedBy, now });
        const upgrade = await found(db, id);
        const missing = nodeIds.find((each) => !upgrade.nodes.some(({ nodeId }) => nodeId === each));
        if (missing !== undefined) throw notFound("node", missing);
        await advanceUpgrade(db, id, now);
        await audit(db, request, "sensor-upgrade.start", `sensor-upgrade/${id}`, { version, wave, nodes: nodeIds });
        return found(db, id);
      });
      return reply.status(201).send(made);
    },
  );

  app.post(
    "/api/v1/sensor-upgrades/:id/cancel",
    {
      config: { scope: "admin:write" },
      schema: {
        tags,
        operationId: "cancelSensorUpgrade",
        summary: "Ask no further node; those that were asked go on",
        params: IdParams,
        response: { 200: UpgradeShape },
      },
    },
    async (request) => {
      const { tenantId, name } = principalOf(request);
      const { id } = request.params;
      return store.tenant(tenantId, async (db) => {
        const { state, nodes } = await found(db, id);
        if (!(await endSensorUpgrade(db, id, "cancelled", clock()))) {
          throw new ServerError("CONFLICT", `upgrade ${id} is ${state} already`, "see its nodes");
        }
        for (const { responseId, state } of nodes) {
          if (responseId !== null && state === "queued") await refuseResponse(db, responseId, name, clock());
        }
        await audit(db, request, "sensor-upgrade.cancel", `sensor-upgrade/${id}`, {});
        await announce(db, { topic: "nodes", id: "" });
        return found(db, id);
      });
    },
  );
};

async function found(db: TenantQueries, id: number) {
  const upgrade = await getSensorUpgrade(db, id);
  if (upgrade === undefined) throw notFound("sensor upgrade", id);
  return upgrade;
}
