import type { FastifyInstance, FastifyRequest } from "fastify";
import { ServerError } from "../errors.ts";

const READING = new Set(["GET", "HEAD", "OPTIONS"]);
const YEAR_S = 31_536_000;
const MAX_DEPTH = 32;

/** Of everything but the console, whose page has a stricter one with a nonce (console/content-security.ts). */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};

/**
 * What holds for every route: headers that keep browsers in check, no changes asked for by other sites, no text that the
 * database cannot hold, an audit entry for each change. Call it before routes are registered.
 *
 * @param options.publicUrl address that browsers use, where a proxy changes the `Host` header
 */
export function protect(app: FastifyInstance, options: { readonly publicUrl?: string | undefined }): void {
  const ownHost = options.publicUrl === undefined ? undefined : new URL(options.publicUrl).host;
  app.addHook("onRoute", (route) => {
    const query = route.schema?.querystring;
    // A misspelt filter that is ignored shows everything: an unknown parameter is refused, as an unknown member of a body is.
    if (!isOpenObject(query)) return;
    route.schema = { ...route.schema, querystring: { ...query, additionalProperties: false } };
  });
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(HEADERS);
    if (request.protocol === "https") reply.header("strict-transport-security", `max-age=${YEAR_S}`);
    if (!READING.has(request.method)) refuseOtherSites(request, [ownHost, request.headers.host]);
  });
  app.addHook("preValidation", async (request) => {
    for (const part of [request.params, request.query, request.body]) refuseUnstorable(part, 0);
  });
  app.addHook("preHandler", async (request) => {
    // `1e999` becomes an infinite integer that the validator's limits do not stop.
    const values = [request.params, request.query].flatMap((part) => Object.values(part ?? {}));
    if (!values.some((value) => typeof value === "number" && !Number.isFinite(value))) return;
    throw new ServerError("INVALID_REQUEST", "a number in the address is too large");
  });
  app.addHook("onSend", async (request, reply, payload) => {
    if (reply.getHeader("cache-control") === undefined) reply.header("cache-control", "no-store");
    if (reply.statusCode < 400) demandAudit(request);
    return payload;
  });
}

function isOpenObject(schema: unknown): schema is object {
  const isObject = typeof schema === "object" && schema !== null && "type" in schema && schema.type === "object";
  return isObject && !("additionalProperties" in schema);
}

/** Fetch Metadata and Origin (OWASP, "Cross-Site Request Forgery Prevention"). Programs send neither header. */
function refuseOtherSites(request: FastifyRequest, ownHosts: readonly (string | undefined)[]): void {
  const site = request.headers["sec-fetch-site"];
  const { origin } = request.headers;
  const isOwnSite = site === undefined || site === "same-origin" || site === "none";
  const originHost = origin === undefined ? undefined : URL.parse(origin)?.host;
  const isOwnOrigin = origin === undefined || (originHost !== undefined && ownHosts.includes(originHost));
  if (isOwnSite && isOwnOrigin) return;
  const next = "use the console of this server; behind a proxy, tell the server its public address";
  throw new ServerError("FORBIDDEN", "another web site sent the request", next);
}

/** PostgreSQL's text holds no NUL, and its JSON no half of a surrogate pair. */
function refuseUnstorable(value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw new ServerError("INVALID_REQUEST", `the request is nested deeper than ${MAX_DEPTH}`);
  if (typeof value === "string") {
    if (!value.includes("\0") && value.isWellFormed()) return;
    throw new ServerError("INVALID_REQUEST", "the request holds text that is no Unicode text, or a NUL character");
  }
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  if (Symbol.asyncIterator in value) return;
  for (const [name, member] of Object.entries(value)) {
    refuseUnstorable(name, depth);
    refuseUnstorable(member, depth + 1);
  }
}

/** A change without an entry is a mistake of ours; it must show in the first test of the route, not in an audit. */
function demandAudit(request: FastifyRequest): void {
  if (READING.has(request.method) || request.is404 || request.audited) return;
  if (request.routeOptions.config.unaudited !== undefined) return;
  throw new Error(`${request.method} ${request.routeOptions.url} wrote no audit entry, and declares no reason`);
}
