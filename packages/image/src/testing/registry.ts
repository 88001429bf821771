import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { BuiltDescriptor, BuiltImage } from "./image-builder.ts";

/** What a registry of a test holds. */
export interface RegistryContent {
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** Root descriptor by `repository:tag`. */
  readonly tags: Readonly<Record<string, BuiltDescriptor>>;
}

/** A request as the registry saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly authorization: string;
  readonly range: string;
  readonly body: string;
}

export interface TestRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly seen: readonly SeenRequest[];
  close(): Promise<void>;
}

/**
 * Answers before the registry does: true when it took the request. Faults are played here: an error status, a cut
 * connection, a redirect, an endless body.
 */
export type Intercept = (request: SeenRequest, response: ServerResponse) => boolean | Promise<boolean>;

/** The content of images under one tag each. */
export function contentOf(images: Readonly<Record<string, BuiltImage>>): RegistryContent {
  const blobs = new Map(Object.values(images).flatMap((image) => [...image.blobs]));
  const tags = Object.fromEntries(Object.entries(images).map(([name, image]) => [name, image.manifest]));
  return { blobs, tags };
}

/**
 * Starts a registry over plain HTTP on a free loopback port: manifests and blobs with Range, and faults on demand.
 *
 * @example const registry = await startRegistry(contentOf({ "app:1": image })); openImage(`http://${registry.host}/app:1`);
 */
export async function startRegistry(
  content: RegistryContent,
  intercept: Intercept = () => false,
): Promise<TestRegistry> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    void answer(request, response);
  });

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    for await (const chunk of incoming) body += chunk;
    const request = {
      method: incoming.method ?? "",
      url: incoming.url ?? "",
      authorization: incoming.headers.authorization ?? "",
      range: incoming.headers.range ?? "",
      body,
    };
    seen.push(request);
    if (!(await intercept(request, response))) serve(content, request, response);
  };

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function serve(content: RegistryContent, request: SeenRequest, response: ServerResponse): void {
  const match = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(request.url);
  if (match === null) {
    response.writeHead(request.url === "/v2/" ? 200 : 404).end();
    return;
  }
  const [, repository, kind, name] = match;
  const tagged = content.tags[`${repository}:${name}`];
  const digest = tagged?.digest ?? name!;
  const bytes = content.blobs.get(digest);
  if (bytes === undefined) {
    response.writeHead(404, { "content-type": "application/json" });
    response.end(
      JSON.stringify({
        errors: [{ code: kind === "blobs" ? "BLOB_UNKNOWN" : "MANIFEST_UNKNOWN", message: "unknown" }],
      }),
    );
    return;
  }
  const type = kind === "blobs" ? "application/octet-stream" : (tagged?.mediaType ?? mediaTypeIn(bytes));
  const from = Number(/^bytes=(\d+)-$/.exec(request.range)?.[1] ?? 0);
  const headers = { "content-type": type, "docker-content-digest": digest, "content-length": bytes.length - from };
  if (from > 0)
    response.writeHead(206, { ...headers, "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` });
  else response.writeHead(200, headers);
  response.end(bytes.subarray(from));
}

function mediaTypeIn(bytes: Uint8Array): string {
  return (JSON.parse(Buffer.from(bytes).toString("utf8")) as { mediaType?: string }).mediaType ?? "application/json";
}
