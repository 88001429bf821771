import { FIRST_TENANT } from "@bulwark/store";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { App, AppDeps } from "../app.ts";
import { ServerError } from "../errors.ts";
import { createMetrics, routeOf } from "./metrics.ts";

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;
const LOOPBACK_HOST = /^(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost)(?::\d+)?$/i;
/** A request with one of these came through a proxy, whosever address the connection has. */
const FORWARDED = ["x-forwarded-for", "x-forwarded-host", "forwarded", "via", "x-real-ip"];

/**
 * Counts every request, writes a line about it into the log, and serves `GET /metrics`. The figures are those of all
 * tenants: they are for administrators of the first one, and for programs on this machine.
 */
export function watchRequests(app: App, deps: AppDeps): void {
  const metrics = createMetrics(deps.store, deps.clock);
  app.addHook("onResponse", async (request, reply) => {
    metrics.observe(request, reply);
    logRequest(request, reply);
  });
  app.get("/metrics", { config: { scope: "public" }, schema: { hide: true } }, async (request, reply) => {
    await demandOperator(request, deps);
    return reply.type(metrics.contentType).send(await metrics.text());
  });
}

/** One line for each request, with its id. Neither the query, which may hold what people search for, nor any body. */
function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const { method, principal } = request;
  const account = principal === undefined ? {} : { account: principal.name, tenant: principal.tenantId };
  const told = {
    method,
    route: routeOf(request),
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime),
    ...account,
  };
  request.log.info(told, "request");
}

async function demandOperator(request: FastifyRequest, deps: AppDeps): Promise<void> {
  if (isOwnMachine(request, deps)) return;
  const principal = await deps.authenticate(request);
  const next = "send a token of an administrator of the first tenant, with the scope admin:read";
  if (principal === undefined) throw new ServerError("UNAUTHENTICATED", "metrics are not for everybody", next);
  if (principal.tenantId === FIRST_TENANT && principal.scopes.has("admin:read")) return;
  throw new ServerError("FORBIDDEN", "metrics tell of all tenants", next);
}

/**
 * Whether a program on this machine asks. Behind a proxy everybody's connection comes from here, so that no proxy may be set
 * up; and a name that leads here does not make a web page one of our programs (DNS rebinding).
 */
function isOwnMachine({ socket, headers }: FastifyRequest, { publicUrl, trustedProxies }: AppDeps): boolean {
  const isProxied = publicUrl !== undefined || trustedProxies !== undefined;
  if (isProxied || FORWARDED.some((name) => headers[name] !== undefined)) return false;
  return LOOPBACK.test(socket.remoteAddress ?? "") && LOOPBACK_HOST.test(headers.host ?? "");
}
