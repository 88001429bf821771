import type { IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { text as readText } from "node:stream/consumers";

const REQUEST_LIMIT_MS = 60_000;

/** Who speaks: a client certificate (PEM), a bearer token, or nobody. */
export interface Credentials {
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
  /** Where something hands the connection on to the API server. */
  readonly through?: { readonly host: string; readonly port: number };
}

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  } & Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export interface Answer<Body = unknown> {
  readonly status: number;
  /** JSON where the answer is JSON, else its text. */
  readonly body: Body;
  /** Under which the server tells of the request in its audit events. */
  readonly auditId: string;
}

export interface ApiClient {
  request(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer<Record<string, unknown>>>;
  apply(...objects: readonly KubernetesObject[]): Promise<readonly KubernetesObject[]>;
}

/** Requests to a real API server, without a library between: what is sent is what the test says. */
export function createApiClient(server: string, ca: string, credentials: Credentials): ApiClient {
  const { token, through, ...certificate } = credentials;
  const agent = new Agent({ ca, keepAlive: through === undefined, ...certificate });
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const request: ApiClient["request"] = (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      // A text is sent as it is: patches may be YAML.
      const sent = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
      const type: Record<string, string> = sent === undefined ? {} : { "content-type": "application/json" };
      const { hostname, port, host } = new URL(server);
      const to = { host: through?.host ?? hostname, port: through?.port ?? port, servername: "kubernetes" };
      const sentHeaders = { host, ...authorization, ...type, ...headers };
      const options = { ...to, path, method, agent, timeout: REQUEST_LIMIT_MS, headers: sentHeaders };
      const call = httpsRequest(options, (response) => {
        readText(response).then((text) => {
          const isJson = response.headers["content-type"]?.startsWith("application/json") ?? false;
          resolve({
            status: response.statusCode ?? 0,
            body: isJson ? JSON.parse(text) : text,
            auditId: auditIdOf(response),
          });
        }, reject);
      });
      // What an upgraded connection carries is nobody's business here: that it was opened is.
      call.once("upgrade", (response, socket) => {
        socket.destroy();
        resolve({ status: response.statusCode ?? 0, body: {}, auditId: auditIdOf(response) });
      });
      call.once("timeout", () => call.destroy(new Error(`${method} ${path}: no answer in ${REQUEST_LIMIT_MS} ms`)));
      call.once("error", reject);
      call.end(sent);
    });
  const places = new Map<string, Promise<ReadonlyMap<string, string>>>();
  const placesOf = (apiVersion: string) => {
    const known = places.get(apiVersion) ?? readPlaces(request, apiVersion);
    places.set(apiVersion, known);
    return known;
  };
  return {
    request,
    async apply(...objects) {
      const made: KubernetesObject[] = [];
      for (const object of objects) {
        const path = await pathOf(object, placesOf);
        const query = "?fieldManager=tests&force=true";
        const type = { "content-type": "application/apply-patch+yaml" };
        const { status, body } = await request("PATCH", `${path}${query}`, object, type);
        if (status >= 300) throw new Error(`${object.kind} ${object.metadata.name}: ${status} ${JSON.stringify(body)}`);
        made.push(body as unknown as KubernetesObject);
      }
      return made;
    },
  };
}

function auditIdOf({ headers }: IncomingMessage): string {
  return String(headers["audit-id"] ?? "");
}

/** Where objects of a kind live: `Pod` → `namespaces/*\/pods`. */
async function readPlaces(request: ApiClient["request"], apiVersion: string): Promise<ReadonlyMap<string, string>> {
  const { status, body } = await request("GET", groupPath(apiVersion));
  if (status !== 200) throw new Error(`the API server has no ${apiVersion}: ${status}`);
  const resources = body.resources as readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
  }[];
  const own = resources.filter(({ name }) => !name.includes("/"));
  return new Map(own.map(({ name, kind, namespaced }) => [kind, namespaced ? `namespaces/*/${name}` : name]));
}

async function pathOf(
  { apiVersion, kind, metadata }: KubernetesObject,
  placesOf: (apiVersion: string) => Promise<ReadonlyMap<string, string>>,
): Promise<string> {
  const place = (await placesOf(apiVersion)).get(kind);
  if (place === undefined) throw new Error(`the API server has no ${apiVersion} ${kind}`);
  return `${groupPath(apiVersion)}/${place.replace("*", metadata.namespace ?? "default")}/${metadata.name}`;
}

function groupPath(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}
