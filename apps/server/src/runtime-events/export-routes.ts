import { Readable } from "node:stream";
import { countBatches, type ExportFormat, listBatches, type Store } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { ServerError } from "../errors.ts";
import { eventRecord } from "../exports/export-record.ts";
import { Id } from "../id.ts";
import type { Routes } from "../routes.ts";
import { readEvents } from "./decode-batch.ts";
import { spanOf } from "./span.ts";

/** Of one file: some ten million events at most. */
const MAX_BATCHES = 20_000;
const PAGE = 16;

interface Wanted {
  readonly since: Date;
  readonly until: Date;
  readonly nodeId: number | undefined;
  readonly format: ExportFormat;
}

/** Events of a span of time as a file. */
export const runtimeEventExportRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;
  app.get(
    "/api/v1/runtime-events/export",
    {
      config: { scope: "runtime:read" },
      schema: {
        tags: ["runtime events"],
        operationId: "exportRuntimeEvents",
        summary: "Events that were stored in a span of time, one JSON a line, in the order in which they came",
        querystring: Type.Object({
          format: Type.Optional(Type.Enum(["ocsf", "ndjson"])),
          since: Type.Optional(Type.String({ format: "date-time", description: "a day before `until`" })),
          until: Type.Optional(Type.String({ format: "date-time", description: "now; not included" })),
          nodeId: Type.Optional(Id),
        }),
        response: { 200: Type.Unknown() },
      },
    },
    async (request, reply) => {
      const { tenantId } = principalOf(request);
      const { format = "ocsf", since, until, nodeId } = request.query;
      const span = spanOf(since, until, clock());
      const wanted = { ...span, nodeId, format: format === "ocsf" ? "ocsf" : "native" } as const;
      const batches = await store.tenant(tenantId, (db) => countBatches(db, wanted));
      if (batches > MAX_BATCHES) {
        const what = `this span has ${batches} batches of events, a file holds ${MAX_BATCHES}`;
        throw new ServerError("INVALID_REQUEST", what, "ask for shorter spans, or for one node");
      }
      reply.header("content-disposition", `attachment; filename="events-${format}.ndjson"`);
      reply.type("application/x-ndjson; charset=utf-8");
      return reply.send(Readable.from(linesOf(store, tenantId, wanted)));
    },
  );
};

async function* linesOf(store: Store, tenantId: number, { format, ...span }: Wanted): AsyncGenerator<string> {
  let after = 0;
  for (;;) {
    const from = after;
    const batches = await store.tenant(tenantId, (db) => listBatches(db, { ...span, after: from, limit: PAGE }));
    for (const { id, content, ...place } of batches) {
      after = id;
      for (const [position, event] of (await readEvents(content)).entries()) {
        if (event === undefined) continue;
        yield `${eventRecord(event, { ...place, batchId: id, position }, format).text}\n`;
      }
    }
    if (batches.length < PAGE) return;
  }
}
