import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply } from "fastify";
import { notFound } from "../errors.ts";
import type { Routes } from "../routes.ts";
import { contentSecurityPolicy, createNonce } from "./content-security.ts";

/** Where `make console` puts the built console. */
const DIST = join(import.meta.dirname, "../../../console/dist");
/** Stands in the built page where the nonce comes (apps/console/vite.config.ts). */
const NONCE_PLACEHOLDER = /BULWARK_CSP_NONCE/g;
/** Not the console's: an unknown address below these is an error of a program, not a page. */
const OTHERS = ["/api/", "/openapi.json", "/healthz", "/readyz", "/metrics", "/assets/"];

const NOT_BUILT = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>Bulwark</title></head>
  <body>
    <h1>The console is not built</h1>
    <p>The server and its API work. To build the console run <code>make console</code> in the repository and load this page
      again.</p>
    <p lang="zh-CN">控制台尚未构建。服务器与 API 运行正常。请在代码仓库中运行 <code>make console</code>，然后重新加载此页。</p>
  </body>
</html>
`;

/** The web console: its files, and its page at every address that is none of the API's. */
export const consoleRoutes: Routes = async (app) => serveConsole(app as unknown as FastifyInstance, DIST);

/**
 * Serves a built console.
 *
 * @param dist the folder with index.html; it may be missing, and may be built while the server runs
 * @example await serveConsole(app, "apps/console/dist");
 */
export async function serveConsole(app: FastifyInstance, dist: string): Promise<void> {
  await app.register(async (assets) => {
    // @fastify/static takes no config for its routes, and a route without a scope is nobody's.
    assets.addHook("onRoute", (route) => {
      route.config = { ...route.config, scope: "public" };
      route.schema = { ...route.schema, hide: true };
    });
    // The names carry a hash of the content: what is read once is never asked for again.
    await assets.register(fastifyStatic, {
      root: join(dist, "assets"),
      prefix: "/assets/",
      index: false,
      preCompressed: true,
      immutable: true,
      maxAge: "365d",
      decorateReply: false,
    });
  });
  const config = { scope: "public" } as const;
  const schema = { hide: true };
  app.get("/*", { config, schema }, async (request, reply) => {
    const path = request.url.split("?")[0] ?? "/";
    if (OTHERS.some((other) => path === other || path.startsWith(other))) throw notFound("page", path);
    return sendPage(reply, await readOr(dist, "index.html", NOT_BUILT));
  });
}

function sendPage(reply: FastifyReply, page: string): FastifyReply {
  const nonce = createNonce();
  return reply
    .type("text/html; charset=utf-8")
    .header("content-security-policy", contentSecurityPolicy(nonce))
    .header("x-content-type-options", "nosniff")
    .header("referrer-policy", "no-referrer")
    .header("cross-origin-opener-policy", "same-origin")
    .header("cache-control", "no-cache")
    .send(page.replace(NONCE_PLACEHOLDER, nonce));
}

async function readOr(dist: string, name: string, otherwise: string): Promise<string> {
  try {
    return await readFile(join(dist, name), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return otherwise;
    throw error;
  }
}
