import { collect } from "../content-source.ts";
import { imageError, isImageError } from "../errors.ts";
import { type Challenge, parseChallenge } from "./challenge.ts";
import type { Credentials } from "./credentials.ts";
import { type HttpClient, type HttpRequest, type HttpResponse, readErrorBody } from "./http.ts";

/** Distribution project, "Docker Registry Token Authentication", resource type `registry`. */
const CATALOG_SCOPE = "registry:catalog:*";
const MAX_TOKEN_BYTES = 1024 * 1024;

export interface SessionOptions {
  readonly client: HttpClient;
  /** Root of the registry's API: `https://host/`. */
  readonly base: URL;
  readonly repository: string;
  readonly plainHttp: boolean;
  /** What tokens are asked for. */
  readonly access: "pull" | "pull,push" | "pull,push,delete";
  /** Looked up when the registry first asks for them. */
  credentials(): Promise<Credentials | undefined>;
}

/** A request as its caller makes it. */
interface SessionRequest {
  readonly method: HttpRequest["method"];
  /** Below the registry's root, or an address that the registry gave. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

/** Requests to one repository, with whatever authentication the registry asks for. */
export interface Session {
  /** The credentials stay with the registry: an address elsewhere is asked without them. */
  send(request: SessionRequest): Promise<HttpResponse>;
  get(path: string, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<HttpResponse>;
}

/**
 * A session with a registry (distribution specification; Docker's "Token Authentication Specification"). The
 * registry's credentials go to the registry itself, and to the token server it names, over TLS; nowhere else.
 *
 * @throws (from get) REGISTRY_AUTH, REGISTRY_UNREACHABLE, CREDENTIALS_INVALID, CANCELLED
 */
export function createSession(options: SessionOptions): Session {
  let authorization: string | undefined;
  let renewal: Promise<void> | undefined;
  let known: Promise<Credentials | undefined> | undefined;

  const credentials = (): Promise<Credentials | undefined> => {
    known ??= options.credentials();
    return known;
  };

  const authorize = async (challenge: Challenge, signal: AbortSignal | undefined): Promise<void> => {
    const found = await credentials();
    if (challenge.scheme === "bearer") {
      authorization = `Bearer ${await fetchToken(options, challenge, found, signal)}`;
      return;
    }
    if (found === undefined) throw denied(options, "it asks for a user and a password, and none are known");
    authorization = basic(found);
  };

  const send = async ({ method, path, headers, body, signal }: SessionRequest): Promise<HttpResponse> => {
    const url = new URL(path, options.base);
    const isOwn = url.origin === options.base.origin;
    for (let tries = 0; ; tries++) {
      const used = authorization;
      const response = await options.client.send({
        method,
        url,
        headers,
        signal,
        ...(body === undefined ? {} : { body }),
        ...(used === undefined || !isOwn ? {} : { authorization: used }),
      });
      if (response.status !== 401 || !isOwn) return response;
      response.body.destroy();
      const challenge = parseChallenge(response.headers["www-authenticate"] ?? "");
      // Two tries: a token may have ended between two layers, and is then renewed once.
      if (challenge === undefined || tries >= 2) throw denied(options, "it does not accept the credentials");
      if (challenge.scheme === "basic" && used !== undefined)
        throw denied(options, "it does not accept the credentials");
      // Several layers may be refused at once: one renews, the others wait for it.
      if (authorization !== used) continue;
      renewal ??= authorize(challenge, signal).finally(() => {
        renewal = undefined;
      });
      await renewal;
    }
  };
  return { send, get: (path, headers, signal) => send({ method: "GET", path, headers, signal }) };
}

function basic(credentials: Credentials): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
}

function denied(options: SessionOptions, why: string): Error {
  return imageError(
    "REGISTRY_AUTH",
    `${options.base.host} refuses ${options.repository === "" ? "its list of repositories" : options.repository}: ${why}`,
    "log in to the registry (docker login, podman login) and check that the image exists",
  );
}

async function fetchToken(
  options: SessionOptions,
  challenge: Extract<Challenge, { scheme: "bearer" }>,
  credentials: Credentials | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const realm = parseRealm(options, challenge.realm);
  // Without a repository it is the list of all that is asked for.
  const scope = options.repository === "" ? CATALOG_SCOPE : `repository:${options.repository}:${options.access}`;
  const oauth = credentials !== undefined && credentials.identityToken !== "";
  if (!oauth) {
    if (challenge.service !== "") realm.searchParams.set("service", challenge.service);
    realm.searchParams.set("scope", scope);
  }
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    service: challenge.service,
    client_id: "bulwark",
    scope,
    refresh_token: credentials?.identityToken ?? "",
  });
  const response = await options.client.send({
    method: oauth ? "POST" : "GET",
    url: realm,
    headers: { accept: "application/json", ...(oauth ? { "content-type": "application/x-www-form-urlencoded" } : {}) },
    signal,
    ...(oauth ? { body: form.toString() } : {}),
    ...(!oauth && credentials !== undefined ? { authorization: basic(credentials) } : {}),
  });
  if (response.status !== 200) {
    await readErrorBody(response);
    throw denied(options, `its token server ${realm.host} answers with status ${response.status}`);
  }
  return readToken(options, realm, response);
}

/** The token server's address. Without TLS it gets nothing, unless plain HTTP was asked for. */
function parseRealm(options: SessionOptions, realm: string): URL {
  const url = URL.parse(realm);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:"))
    throw denied(options, "its token server has no valid address");
  if (url.protocol === "http:" && !options.plainHttp)
    throw denied(options, `its token server ${url.host} is not encrypted`);
  url.username = "";
  url.password = "";
  return url;
}

async function readToken(options: SessionOptions, realm: URL, response: HttpResponse): Promise<string> {
  let token: unknown;
  try {
    const bytes = await collect(`token of ${realm.host}`, response.body, MAX_TOKEN_BYTES);
    const json = JSON.parse(Buffer.from(bytes).toString("utf8")) as Record<string, unknown>;
    token = json.token ?? json.access_token;
  } catch (error) {
    // The parser's message would quote the token.
    if (isImageError(error)) throw error;
    throw denied(options, `its token server ${realm.host} does not answer with JSON`);
  }
  if (typeof token !== "string" || token === "" || /[^\x21-\x7e]/.test(token))
    throw denied(options, `its token server ${realm.host} gives no token`);
  return token;
}
