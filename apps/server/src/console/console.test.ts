import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sendProblem } from "../problem.ts";
import { serveConsole } from "./routes.ts";

let dist: string;
let app: FastifyInstance;

beforeEach(async () => {
  dist = await mkdtemp(join(tmpdir(), "bulwark-console-"));
  app = Fastify();
  app.setErrorHandler(sendProblem);
});
afterEach(async () => {
  await app.close();
  await rm(dist, { recursive: true });
});

async function build(): Promise<void> {
  await mkdir(join(dist, "assets"));
  await writeFile(join(dist, "assets", "main-1a2b.js"), "export {};");
  await writeFile(join(dist, "index.html"), '<meta property="csp-nonce" nonce="BULWARK_CSP_NONCE">page');
}

test("every address that is none of the API's answers with the page", async () => {
  await build();
  await serveConsole(app, dist);
  for (const url of ["/", "/images/sha256:1", "/login?back=%2Fimages"]) {
    const answer = await app.inject(url);
    expect([answer.statusCode, answer.headers["cache-control"]]).toEqual([200, "no-cache"]);
    expect(answer.body).toContain("page");
  }
});

test("each page has a nonce of its own, the one that its policy names, and no script may stand in it", async () => {
  await build();
  await serveConsole(app, dist);
  const nonces = await Promise.all(
    [1, 2].map(async () => {
      const { body, headers } = await app.inject("/");
      const nonce = /nonce="([^"]+)"/.exec(body)?.[1] ?? "";
      expect(String(headers["content-security-policy"])).toContain(`style-src 'self' 'nonce-${nonce}'`);
      expect(String(headers["content-security-policy"])).toContain("script-src 'self';");
      return nonce;
    }),
  );
  expect(nonces[0]).not.toBe(nonces[1]);
  expect(nonces[0]).not.toBe("BULWARK_CSP_NONCE");
});

test("files with a hash in their name are kept for a year", async () => {
  await build();
  await serveConsole(app, dist);
  const answer = await app.inject("/assets/main-1a2b.js");
  expect(answer.statusCode).toBe(200);
  expect(answer.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
});

test("a file whose compressed form lies beside it is sent compressed to those who take that", async () => {
  await build();
  await writeFile(join(dist, "assets", "main-1a2b.js.br"), "compressed");
  await serveConsole(app, dist);
  const url = "/assets/main-1a2b.js";
  const { headers, body } = await app.inject({ url, headers: { "accept-encoding": "br" } });
  expect([headers["content-encoding"], body]).toEqual(["br", "compressed"]);
  expect((await app.inject(url)).body).toBe("export {};");
});

test("an unknown address of the API, and a file that is gone, are errors and no page", async () => {
  await build();
  await serveConsole(app, dist);
  for (const url of ["/api/v1/nothing", "/assets/old-9z.js", "/assets/..%2f..%2fpackage.json"]) {
    const answer = await app.inject(url);
    expect(answer.statusCode, url).toBe(404);
    expect(answer.body).not.toContain("csp-nonce");
  }
});

test("a console that is not built says how to build it", async () => {
  await serveConsole(app, join(dist, "missing"));
  const answer = await app.inject("/");
  expect(answer.statusCode).toBe(200);
  expect(answer.body).toContain("make console");
});
