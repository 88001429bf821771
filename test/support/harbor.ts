import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface HarborOptions {
  /** `HOST:PORT` of the registry behind. */
  readonly target: string;
  readonly username: string;
  readonly password: string;
  /** Names of repositories by project. */
  readonly projects: Readonly<Record<string, readonly string[]>>;
}

/**
 * Harbor as a scanner sees it: the documented lists of its API v2.0 and a token service in front of a registry, whose catalogue
 * is closed to robot accounts.
 */
export async function startHarbor(options: HarborOptions): Promise<{ readonly host: string; close(): Promise<void> }> {
  const token = Buffer.from(options.username).toString("base64url");
  const basic = `Basic ${Buffer.from(`${options.username}:${options.password}`).toString("base64")}`;
  const server = createServer((incoming, response) => {
    const { pathname, searchParams } = new URL(incoming.url ?? "", "http://harbor");
    const isKnown = incoming.headers.authorization === basic;
    if (pathname === "/service/token") return isKnown ? json(response, { token }) : refuse(response);
    if (pathname.startsWith("/api/v2.0/")) {
      return isKnown ? list(options, response, pathname, searchParams, incoming.headers) : refuse(response);
    }
    if (pathname.startsWith("/v2/_catalog")) return refuse(response);
    if (incoming.headers.authorization === `Bearer ${token}`) return pass(options.target, incoming, response);
    const realm = `http://${incoming.headers.host}/service/token`;
    response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="harbor-registry"` }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function list(
  { projects }: HarborOptions,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
  headers: IncomingMessage["headers"],
): void {
  const page = (items: readonly object[]) => {
    const size = Number(query.get("page_size"));
    const from = (Number(query.get("page")) - 1) * size;
    json(response, items.slice(from, from + size));
  };
  const project = /^\/api\/v2\.0\/projects\/([^/]+)\/repositories$/.exec(path)?.[1];
  if (path === "/api/v2.0/projects") {
    page(Object.keys(projects).map((name, id) => ({ name, project_id: id + 1 })));
    return;
  }
  // Digits are an id to Harbor, unless it is told that they are a name.
  const isName = !/^\d+$/.test(project ?? "") || headers["x-is-resource-name"] === "true";
  const names = isName ? projects[project ?? ""] : undefined;
  if (names === undefined) response.writeHead(404).end();
  else page(names.map((name) => ({ name: `${project}/${name}` })));
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse): void {
  response.writeHead(401).end();
}

function pass(target: string, incoming: IncomingMessage, response: ServerResponse): void {
  const [host, port] = target.split(":");
  const { authorization: _token, ...headers } = incoming.headers;
  const sent = request({ host, port: Number(port), method: incoming.method, path: incoming.url, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  sent.on("error", () => response.destroy());
  incoming.pipe(sent);
}
