import { createHash, randomUUID } from "node:crypto";
import type { Store } from "@bulwark/store";
import swagger from "@fastify/swagger";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController } from "fastify";
import packageJson from "../../../package.json" with { type: "json" };
import { checkAccess, type Principal } from "./access.ts";
import { notFound } from "./errors.ts";
import type { EventHub } from "./events/hub.ts";
import type { Queue } from "./jobs/queue.ts";
import { watchRequests } from "./metrics/watch-requests.ts";
import { Problem, sendProblem } from "./problem.ts";
import { ROUTES } from "./routes.ts";
import { protect } from "./security/protect.ts";
import type { SecretBox } from "./security/secret-box.ts";

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** Time for a whole request to arrive: who sends a byte a minute does not hold a connection. */
const REQUEST_TIMEOUT_MS = 60_000;
const ETAGGED_BYTES = 4 * 1024 * 1024;

/** What routes work with. */
export interface AppDeps {
  readonly store: Store;
  readonly clock: () => Date;
  /** Who sends the request; undefined for nobody. `passive`: asked again by the server itself, which is no use of a session. */
  readonly authenticate: (
    request: FastifyRequest,
    how?: { readonly passive: boolean },
  ) => Promise<Principal | undefined>;
  /** Keeps what must be stored but not be read: credentials, second factors. */
  readonly secrets: SecretBox;
  /** Where long work is put. */
  readonly queue: Queue;
  /** What changed, for those who watch. */
  readonly events: EventHub;
  /** Address that browsers use, such as `https://bulwark.example.com`, where a proxy stands in front. */
  readonly publicUrl?: string;
  /** Addresses of proxies whose `X-Forwarded-*` headers count. */
  readonly trustedProxies?: readonly string[];
  readonly logger?: FastifyBaseLogger;
  readonly https?: { readonly key: string; readonly cert: string };
}

export type App = FastifyInstance;

/**
 * Makes the HTTP server of the API role.
 *
 * @example const app = await createApp(deps); await app.listen({ port: 8080 });
 */
export async function createApp(deps: AppDeps): Promise<App> {
  const app = Fastify({
    ...(deps.logger === undefined ? { logger: false } : { loggerInstance: deps.logger }),
    ...(deps.https === undefined
      ? { http: { maxHeaderSize: MAX_HEADER_BYTES } }
      : { https: { ...deps.https, maxHeaderSize: MAX_HEADER_BYTES } }),
    requestTimeout: REQUEST_TIMEOUT_MS,
    trustProxy: deps.trustedProxies === undefined ? false : [...deps.trustedProxies],
    bodyLimit: MAX_BODY_BYTES,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    // Fastify's own lines hold whole addresses; ours are written in watchRequests.
    logController: new LogController({ disableRequestLogging: true }),
    // Unknown members are refused rather than dropped: a misspelt option must not be ignored in silence.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: "array", allErrors: false, verbose: true } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  // Many send the header with every request: one without a body then has none, as the route's schema may want.
  const parseJson = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    if (body === "") done(null, undefined);
    else parseJson(request, String(body), done);
  });
  app.decorate("clock", deps.clock);
  app.decorateRequest("principal", undefined);
  app.decorateRequest("audited", false);
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler((request, reply) => sendProblem(notFound("page", request.url), request, reply));
  protect(app as unknown as App, { publicUrl: deps.publicUrl });
  app.addHook("onRequest", async (request) => {
    const isPublic = request.is404 || request.routeOptions.config.scope === "public";
    if (!isPublic) request.principal = await deps.authenticate(request);
    checkAccess(request);
  });
  watchRequests(app as unknown as App, deps);
  app.addHook("onSend", async (request, reply, payload) => withEtag(request, reply, payload));
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Bulwark",
        version: packageJson.version,
        description: "Container security over the whole life of a container",
      },
      components: {
        securitySchemes: {
          token: { type: "http", scheme: "bearer", description: "an API token, `bwk_…`" },
          session: {
            type: "apiKey",
            in: "cookie",
            name: "bulwark_session",
            description: "with `x-csrf-token` for changes",
          },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const { scope, unaudited } = route.config ?? {};
      const { bodyLimit = MAX_BODY_BYTES } = route;
      const declared = {
        "x-scope": scope,
        ...(unaudited === undefined ? {} : { "x-unaudited": unaudited }),
        ...(schema?.produces?.includes("text/event-stream") ? { "x-streams": true } : {}),
        "x-body-limit": bodyLimit,
      };
      const security = scope === "public" ? [] : [{ token: [] }, { session: [] }];
      return { schema: { ...schema, ...declared, security } as typeof schema, url };
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, i) => (typeof json.$id === "string" ? json.$id : `def-${i}`),
    },
  });
  app.addSchema(Problem);
  for (const routes of ROUTES) await app.register(routes, { deps });
  app.get("/openapi.json", { config: { scope: "public" }, schema: { hide: true } }, async () => app.swagger());
  return app as unknown as App;
}

/** Answers that did not change are not sent again (RFC 9110, "Conditional Requests"). */
function withEtag(
  request: FastifyRequest,
  reply: { statusCode: number; header(name: string, value: string): unknown; code(status: number): unknown },
  payload: unknown,
): unknown {
  if (request.method !== "GET" || reply.statusCode !== 200) return payload;
  if (typeof payload !== "string" || payload.length > ETAGGED_BYTES) return payload;
  const etag = `W/"${createHash("sha256").update(payload).digest("base64url").slice(0, 22)}"`;
  reply.header("etag", etag);
  reply.header("cache-control", "private, no-cache");
  if (request.headers["if-none-match"] !== etag) return payload;
  reply.code(304);
  return "";
}
