import { createHash, randomUUID } from "node:crypto";
import type { Store } from "@bulwark/store";
import swagger from "@fastify/swagger";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest } from "fastify";
import packageJson from "../../../package.json" with { type: "json" };
import { checkAccess, type Principal } from "./access.ts";
import { notFound } from "./errors.ts";
import { Problem, sendProblem } from "./problem.ts";
import { ROUTES } from "./routes.ts";

const MAX_BODY_BYTES = 1024 * 1024;
const ETAGGED_BYTES = 4 * 1024 * 1024;

/** What routes work with. */
export interface AppDeps {
  readonly store: Store;
  readonly clock: () => Date;
  /** Who sends the request; undefined for nobody. */
  readonly authenticate: (request: FastifyRequest) => Promise<Principal | undefined>;
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
    ...(deps.https === undefined ? {} : { https: deps.https }),
    bodyLimit: MAX_BODY_BYTES,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    // Unknown members are refused rather than dropped: a misspelt option must not be ignored in silence.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: "array", allErrors: false } },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.decorateRequest("principal", undefined);
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler((request, reply) => sendProblem(notFound("page", request.url), request, reply));
  app.addHook("onRequest", async (request) => {
    request.principal = await deps.authenticate(request);
    checkAccess(request);
  });
  app.addHook("onSend", async (request, reply, payload) => withEtag(request, reply, payload));
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Bulwark",
        version: packageJson.version,
        description: "Container security over the whole life of a container",
      },
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
