import { createServer } from "node:http";

/** How a replica is. */
export interface AgentState {
  readonly isReady: boolean;
  /** By the names under which Prometheus knows them. */
  readonly figures: Readonly<Record<string, number>>;
}

/**
 * Answers `/healthz`, `/readyz` and `/metrics` for the kubelet and Prometheus, without TLS and from before the agent is ready on.
 *
 * @example const probes = await startAgentProbes({ host: "0.0.0.0", port: 8081 }, () => ({ isReady: true, figures: {} }));
 */
export async function startAgentProbes(
  place: { readonly host: string; readonly port: number },
  state: () => AgentState,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer({ requestTimeout: 5_000 }, ({ url }, response) => {
    response.setHeader("cache-control", "no-store").setHeader("content-type", "text/plain; version=0.0.4");
    if (url === "/metrics") return void response.end(textOf(state().figures));
    const status = url === "/healthz" ? 200 : url === "/readyz" ? (state().isReady ? 200 : 503) : 404;
    response.writeHead(status).end(`${status === 200 ? "ok" : "not ok"}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(place.port, place.host, () => resolve());
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : place.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Prometheus, "Exposition formats". */
function textOf(figures: AgentState["figures"]): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${value}\n`)
    .join("");
}
