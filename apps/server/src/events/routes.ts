import type { ServerResponse } from "node:http";
import { Type } from "typebox";
import { principalOf } from "../access.ts";
import { ServerError } from "../errors.ts";
import { listOf } from "../list-parameter.ts";
import type { Routes } from "../routes.ts";

const TOPICS = [
  "jobs",
  "images",
  "registries",
  "risks",
  "cases",
  "nodes",
  "containers",
  "alerts",
  "responses",
] as const;
/** Keeps proxies from ending a quiet stream. */
const PING_MS = 20_000;
const MAX_STREAMS = 500;
/** A stream ends then, and browsers open it again: whoever was logged out in the meantime does not. */
const MAX_STREAM_MS = 30 * 60_000;

/** What changed, as server-sent events (HTML standard, "Server-sent events"): the page asks for the list itself. */
export const eventRoutes: Routes = async (app, { deps }) => {
  const open = new Set<ServerResponse>();
  // A server that ends does not wait for pages that watch.
  app.addHook("preClose", async () => {
    for (const stream of open) stream.end();
  });
  app.get(
    "/api/v1/events",
    {
      config: { scope: "session" },
      schema: {
        tags: ["events"],
        operationId: "watchEvents",
        summary: "What changes, as it changes: a stream of server-sent events",
        querystring: Type.Object({
          topics: Type.Optional(Type.String({ maxLength: 200, description: TOPICS.join(",") })),
        }),
        produces: ["text/event-stream"],
      },
    },
    async (request, reply) => {
      const { tenantId } = principalOf(request);
      const wanted = listOf(request.query.topics, TOPICS);
      if (open.size >= MAX_STREAMS)
        throw new ServerError("TOO_MANY_REQUESTS", "too many streams are open", "close other pages");
      reply.hijack();
      const { raw } = reply;
      open.add(raw);
      raw.writeHead(200, {
        "content-type": "text/event-stream",
        "cache-control": "no-cache",
        "x-accel-buffering": "no",
        // A stream that ended leaves no connection that a closing server would wait for.
        connection: "close",
      });
      raw.write(": connected\n\n");
      const end = deps.events.subscribe(tenantId, new Set(wanted.length === 0 ? TOPICS : wanted), ({ topic, id }) => {
        raw.write(`event: ${topic}\ndata: ${JSON.stringify({ topic, id })}\n\n`);
      });
      const ping = setInterval(() => raw.write(": ping\n\n"), PING_MS);
      const life = setTimeout(() => raw.end(), MAX_STREAM_MS);
      raw.on("close", () => {
        open.delete(raw);
        clearInterval(ping);
        clearTimeout(life);
        end();
      });
    },
  );
};
