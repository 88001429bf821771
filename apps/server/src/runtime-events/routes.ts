import type { RuntimeProcess } from "@bulwark/model";
import { type StoredEvent, searchEvents } from "@bulwark/store";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { notFound, ServerError } from "../errors.ts";
import { EVENT_TYPE_NAMES, eventTypeNumber } from "../gateway/runtime-events.ts";
import { Id } from "../id.ts";
import { DEFAULT_PAGE, decodeCursor, PageOf, PageQuery, pageOf } from "../paging.ts";
import type { Routes } from "../routes.ts";
import { decodeBatch } from "./decode-batch.ts";
import { spanOf } from "./span.ts";

const EVENT_ID = /^(\d{1,15})-(\d{1,5})$/;

const Text = Type.String();

const EventShape = Type.Object({
  id: Type.String({ description: "batch and position" }),
  at: Text,
  nodeId: Type.Integer(),
  hostname: Text,
  type: Text,
  count: Type.Integer(),
  container: Text,
  containerName: Text,
  pid: Type.Integer(),
  name: Text,
  exe: Text,
  arguments: Text,
  target: Text,
  port: Type.Integer(),
  result: Type.Integer(),
});

/** An event as lists of the API show it. */
function shownEvent({ batchId, position, type, ...rest }: StoredEvent) {
  return { ...rest, id: `${batchId}-${position}`, type: EVENT_TYPE_NAMES[type] ?? `type ${type}` };
}

/** What sensors saw: searched by time, node, container, kind and text. */
export const runtimeEventRoutes: Routes = async (app, { deps }) => {
  const { store, clock } = deps;
  const tags = ["runtime events"];
  const config = { scope: "runtime:read" } as const;

  app.get(
    "/api/v1/runtime-events",
    {
      config,
      schema: {
        tags,
        operationId: "searchRuntimeEvents",
        summary: "Events of nodes, the newest first; of the last day where no time is given",
        querystring: Type.Object({
          ...PageQuery,
          since: Type.Optional(Type.String({ format: "date-time" })),
          until: Type.Optional(Type.String({ format: "date-time" })),
          nodeId: Type.Optional(Id),
          container: Type.Optional(Type.String({ maxLength: 200, description: "the runtime's id" })),
          types: Type.Optional(Type.String({ maxLength: 1_000, description: "separated by commas" })),
          pid: Type.Optional(Type.Integer({ minimum: 1, maximum: 4_194_304 })),
          text: Type.Optional(Type.String({ maxLength: 200 })),
        }),
        response: { 200: PageOf(EventShape) },
      },
    },
    async (request) => {
      const { cursor, limit = DEFAULT_PAGE, types, since, until, ...rest } = request.query;
      const span = spanOf(since, until, clock());
      const before = decodeCursor(cursor, ["number", "integer", "integer"]) as [number, number, number] | undefined;
      const filter = { ...rest, ...span, types: typeNumbers(types), before, limit: limit + 1 };
      const rows = await store.tenant(principalOf(request).tenantId, (db) => searchEvents(db, filter));
      return pageOf(rows, limit, ({ at, batchId, position }) => [microseconds(at), batchId, position], shownEvent);
    },
  );

  app.get(
    "/api/v1/runtime-events/:id",
    {
      config,
      schema: {
        tags,
        operationId: "getRuntimeEvent",
        summary: "A whole event, with its process, the processes above it and its container",
        params: Type.Object({
          id: Type.String({ maxLength: 40 }),
        }),
        response: { 200: Type.Record(Text, Type.Unknown()) },
      },
    },
    async (request) => {
      const [, batchId = "", position = ""] = EVENT_ID.exec(request.params.id) ?? [];
      if (batchId === "") throw notFound("event", request.params.id);
      const events = await store.tenant(principalOf(request).tenantId, (db) => decodeBatch(db, Number(batchId)));
      const event = events?.[Number(position)];
      if (event === undefined) throw notFound("event", request.params.id);
      return { ...event, process: undefined, lineage: lineageOf(event.process) } as Record<string, unknown>;
    },
  );
};

/** The process and those above it, itself first. */
function lineageOf(process: RuntimeProcess | null): readonly Omit<RuntimeProcess, "parent">[] {
  const found: Omit<RuntimeProcess, "parent">[] = [];
  for (let at = process; at !== null; at = at.parent) {
    const { parent: _, ...own } = at;
    found.push(own);
  }
  return found;
}

function microseconds(at: string): number {
  const fraction = /\.(\d{1,6})/.exec(at)?.[1] ?? "";
  const seconds = Math.floor(Date.parse(at) / 1_000);
  return seconds * 1_000_000 + Number(fraction.padEnd(6, "0"));
}

function typeNumbers(text: string | undefined): readonly number[] | undefined {
  if (text === undefined || text === "") return undefined;
  return text.split(",").map((word) => {
    const known = EVENT_TYPE_NAMES.find((name) => name === word);
    if (known === undefined) {
      throw new ServerError("INVALID_REQUEST", `"${word.slice(0, 50)}" is no type of event`, "check the spelling");
    }
    return eventTypeNumber(known);
  });
}
