import { getNode, listBenchmarkFixes } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { audit } from "../audit/audit.ts";
import { notFound } from "../errors.ts";
import { Id, IdParams } from "../id.ts";
import { DEFAULT_PAGE, idOfCursor, PageOf, PageQuery, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { benchmarkContent } from "./content.ts";
import { applyFix, demandFix, previewFix, undoFix } from "./fixes.ts";
import { CheckId, MaybeId, Text } from "./shapes.ts";

const STATES = [
  "previewing",
  "previewed",
  "waiting",
  "applying",
  "verifying",
  "applied",
  "undoing",
  "undone",
  "unchanged",
  "failed",
];

const FixShape = Type.Object({
  ...{ id: Type.Integer(), nodeId: Type.Integer(), hostname: Text, check: Text, title: Text, state: Type.Enum(STATES) },
  change: Type.Record(Text, Type.Unknown()),
  diff: Type.String({ description: "lines that go and come" }),
  ...{
    detail: Text,
    reason: Text,
    askedBy: Text,
    responseId: MaybeId,
    runId: MaybeId,
    createdAt: Text,
    changedAt: Text,
  },
  isUndoable: Type.Boolean({ description: "the node changed something, or may have, and holds what it was" }),
  restart: Type.String({ description: "what has to be started again before the change counts" }),
});

/** Fixes: a change of a node that makes a check pass, previewed first, verified afterwards, and undone where it does not help. */
export const benchmarkFixRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;
  const tags = ["benchmarks"];
  const write = { scope: "responses:write" } as const;

  app.get(
    "/api/v1/benchmark-fixes",
    {
      config: { scope: "responses:read" },
      schema: {
        tags,
        operationId: "listBenchmarkFixes",
        summary: "Fixes, the newest first",
        querystring: Type.Object({ ...PageQuery, nodeId: Type.Optional(Id) }),
        response: { 200: PageOf(FixShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, nodeId } = request.query;
      const before = idOfCursor(cursor);
      const rows = await store.tenant(principalOf(request).tenantId, (db) =>
        listBenchmarkFixes(db, { before, nodeId, limit: limit + 1 }),
      );
      return pageOf(rows, limit, ({ id }) => [id], shown);
    },
  );

  app.get(
    "/api/v1/benchmark-fixes/:id",
    {
      config: { scope: "responses:read" },
      schema: {
        tags,
        operationId: "getBenchmarkFix",
        summary: "A fix and how far it is",
        params: IdParams,
        response: { 200: FixShape },
      },
    },
    async (request) =>
      shown(await store.tenant(principalOf(request).tenantId, (db) => demandFix(db, request.params.id))),
  );

  app.post(
    "/api/v1/benchmark-fixes",
    {
      config: write,
      schema: {
        ...{
          tags,
          operationId: "previewBenchmarkFix",
          summary: "Ask a node what a fix would change: nothing is changed yet",
        },
        body: Type.Object(
          { nodeId: Id, check: CheckId, reason: Type.Optional(Type.String({ maxLength: 2_000 })) },
          { additionalProperties: false },
        ),
        response: { 201: FixShape },
      },
    },
    async (request, reply) => {
      const { tenantId, name: askedBy } = principalOf(request);
      const { nodeId, check: checkId, reason = "" } = request.body;
      const made = await store.tenant(tenantId, async (db) => {
        if ((await getNode(db, nodeId)) === undefined) throw notFound("node", nodeId);
        const check = benchmarkContent().byId.get(checkId);
        if (check === undefined) throw notFound("check", checkId);
        const id = await previewFix(db, { nodeId, check, reason, askedBy, now: clock() });
        await audit(db, request, "benchmark-fix.preview", `benchmark-fix/${id}`, { check: checkId, node: nodeId });
        return demandFix(db, id);
      });
      return reply.status(201).send(shown(made));
    },
  );

  app.post(
    "/api/v1/benchmark-fixes/:id/apply",
    {
      config: write,
      schema: {
        tags,
        operationId: "applyBenchmarkFix",
        summary: "Apply what was previewed; waits for a second person unless one may approve",
        params: IdParams,
        response: { 200: FixShape },
      },
    },
    async (request) => {
      const { tenantId, name: askedBy, scopes } = principalOf(request);
      const { id } = request.params;
      return store.tenant(tenantId, async (db) => {
        const needsApproval = !scopes.has("responses:approve");
        await applyFix(db, id, { askedBy, needsApproval, now: clock() });
        const fix = await demandFix(db, id);
        await audit(db, request, "benchmark-fix.apply", `benchmark-fix/${id}`, { check: fix.check, node: fix.nodeId });
        return shown(fix);
      });
    },
  );

  app.post(
    "/api/v1/benchmark-fixes/:id/undo",
    {
      config: write,
      schema: {
        tags,
        operationId: "undoBenchmarkFix",
        summary: "Give the node back what it was before, to the byte and the mode",
        params: IdParams,
        response: { 200: FixShape },
      },
    },
    async (request) => {
      const { tenantId, name: askedBy } = principalOf(request);
      const { id } = request.params;
      return store.tenant(tenantId, async (db) => {
        await undoFix(db, id, { askedBy, now: clock() });
        const fix = await demandFix(db, id);
        await audit(db, request, "benchmark-fix.undo", `benchmark-fix/${id}`, { check: fix.check, node: fix.nodeId });
        return shown(fix);
      });
    },
  );
};

function shown({ uid: _, before: __, ...fix }: Awaited<ReturnType<typeof demandFix>>) {
  const check = benchmarkContent().byId.get(fix.check);
  const restart = check?.fix?.kind === "setting" ? check.fix.restart : "";
  return { ...fix, title: check?.title ?? fix.check, restart };
}
