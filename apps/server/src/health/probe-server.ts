import { createServer, type Server, type ServerResponse } from "node:http";
import type { Store } from "@bulwark/store";
import type { Metrics } from "../metrics/metrics.ts";

const READY_WITHIN_MS = 2_000;

/**
 * Answers `/healthz`, `/readyz` and `/metrics` and nothing else, without TLS: what a worker, which has no API, is watched by,
 * and what an orchestrator asks on a port of its own.
 */
export async function startProbeServer(
  store: Store,
  place: { readonly host: string; readonly port: number },
  metrics: Metrics,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer({ requestTimeout: READY_WITHIN_MS * 2 }, async (request, response) => {
    if (request.url === "/metrics") return void tellMetrics(metrics, response);
    const status = await statusOf(request.url ?? "", store);
    response.writeHead(status, { "content-type": "text/plain", "cache-control": "no-store" });
    response.end(`${status === 200 ? "ok" : "not ok"}\n`);
  });
  await listen(server, place);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : place.port;
  return {
    url: `http://${place.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function tellMetrics(metrics: Metrics, response: ServerResponse): Promise<void> {
  try {
    const text = await metrics.text();
    response.writeHead(200, { "content-type": metrics.contentType, "cache-control": "no-store" }).end(text);
  } catch {
    // The estate's figures come from the database.
    response.writeHead(503, { "content-type": "text/plain" }).end("not ok\n");
  }
}

async function statusOf(path: string, store: Store): Promise<number> {
  if (path === "/healthz") return 200;
  if (path !== "/readyz") return 404;
  return (await store.answers(READY_WITHIN_MS)) ? 200 : 503;
}

function listen(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
