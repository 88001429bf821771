import type { ServerResponse } from "node:http";
import type { EstateEvent } from "@bulwark/store";
import { Type } from "typebox";
import { type Principal, principalOf } from "../access.ts";
import { ServerError } from "../errors.ts";
import { listOf } from "../list-parameter.ts";
import type { Routes } from "../routes.ts";
import { gatherEvents } from "./gather.ts";

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
  "rebuilds",
  "clusters",
  "golden",
  "admission",
  "decisions",
  "benchmarks",
] as const;
/** Keeps proxies from ending a quiet stream. */
const PING_MS = 20_000;
const MAX_STREAMS = 500;
/** A stream ends then, and browsers open it again. */
const MAX_STREAM_MS = 30 * 60_000;

/**
 * What changed, as server-sent events (HTML standard, "Server-sent events"): the page asks for the list itself. A stream ends
 * with the session or token that opened it, and when the account's role or owners change.
 */
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
        summary:
          "What changes, as it changes: a stream of server-sent events. Many of a topic are told as one, without an id",
        querystring: Type.Object({
          topics: Type.Optional(Type.String({ maxLength: 200, description: TOPICS.join(",") })),
        }),
        produces: ["text/event-stream"],
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenantId, accountId } = principal;
      const wanted = listOf(request.query.topics, TOPICS);
      if (open.size >= MAX_STREAMS)
        throw new ServerError("TOO_MANY_REQUESTS", "too many streams are open", "close other pages");
      reply.hijack();
      const { raw } = reply;
      open.add(raw);
      raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        "content-type": "text/event-stream",
        "cache-control": "no-cache",
        "x-accel-buffering": "no",
        // A stream that ended leaves no connection that a closing server would wait for.
        connection: "close",
      });
      /** A stream that was ended takes nothing more, and says so loudly. */
      const write = (text: string) => {
        if (!raw.writableEnded && !raw.destroyed) raw.write(text);
      };
      write(": connected\n\n");
      const gathered = gatherEvents<EstateEvent["topic"]>(
        (topic, id) => write(`event: ${topic}\ndata: ${JSON.stringify({ topic, id })}\n\n`),
        () => raw.writableNeedDrain,
      );
      const finish = () => {
        gathered.close();
        raw.end();
      };
      const endIfOver = async () => {
        const now = await deps.authenticate(request, { passive: true }).catch(() => undefined);
        if (!isSame(principal, now)) finish();
      };
      const topics = new Set<EstateEvent["topic"]>(wanted.length === 0 ? TOPICS : wanted);
      const end = deps.events.subscribe(tenantId, topics.add("access"), ({ topic, id }) => {
        if (topic !== "access") gathered.tell(topic, String(id));
        else if (id === "" || Number(id) === accountId) void endIfOver();
      });
      const ping = setInterval(() => {
        write(": ping\n\n");
        void endIfOver();
      }, PING_MS);
      const life = setTimeout(finish, MAX_STREAM_MS);
      raw.on("close", () => {
        open.delete(raw);
        clearInterval(ping);
        clearTimeout(life);
        end();
        gathered.close();
      });
    },
  );
};

/** Whether somebody may still see what they saw when the stream was opened. */
function isSame(before: Principal, now: Principal | undefined): boolean {
  const owners = (of: Principal) => of.owners?.join() ?? "all";
  return now !== undefined && now.role === before.role && owners(now) === owners(before);
}
