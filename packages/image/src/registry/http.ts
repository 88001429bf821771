import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { rootCertificates } from "node:tls";
import { imageError, isImageError, reasonOf, throwIfCancelled } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { AddressGuard } from "../open-options.ts";
import { internalAddress, isInternalHost, publicLookup } from "./addresses.ts";

const MAX_REDIRECTS = 5;
const MAX_ERROR_BODY_BYTES = 16 * 1024;
const MAX_IDLE_SOCKETS = 8;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Sent to this request's own origin and to no other, whatever redirects say. */
  readonly authorization?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
}

/** Sends requests: keeps connections, follows redirects without credentials, tries again what may succeed. */
export interface HttpClient {
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Waits before try number `attempt` (from 1), as long as the server asked for or with growing, random pauses. */
  pause(attempt: number, retryAfter: string | undefined, signal: AbortSignal | undefined): Promise<void>;
  close(): void;
}

export interface HttpClientOptions {
  readonly limits: Limits;
  /** Host name of the registry, as in its URL. */
  readonly home: string;
  /** PEM text to trust beside the system's certificates. */
  readonly ca: string | undefined;
  /** Requests without TLS are refused, redirects included, unless it was asked for. */
  readonly plainHttp: boolean;
  readonly guard?: AddressGuard;
}

/**
 * An HTTP client for one registry.
 *
 * @throws (from send) REGISTRY_UNREACHABLE, REGISTRY_REFUSED, CANCELLED
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { limits } = options;
  // No timeout here: where agent and request have the same, Node leaves a kept connection with the few seconds that the
  // server allows it to be idle, and a slow answer on it would be cut after those.
  const shared = { keepAlive: true, maxFreeSockets: MAX_IDLE_SOCKETS, proxyEnv: process.env };
  const http = new HttpAgent(shared);
  const https = new HttpsAgent(
    options.ca === undefined ? shared : { ...shared, ca: [...rootCertificates, options.ca] },
  );

  const once = (request: HttpRequest): Promise<HttpResponse> =>
    new Promise((resolve, reject) => {
      const { url } = request;
      // The registry itself is the user's choice; where it sends us is not.
      const { guard } = options;
      const guarded = guard === undefined && url.hostname !== options.home && !isInternalHost(options.home);
      if (guarded && isInternalHost(url.hostname)) throw internalAddress(url.host);
      const literal = url.hostname.replace(/^\[|\]$/g, "");
      if (guard !== undefined && isIP(literal) !== 0 && !guard.allows(literal)) throw internalAddress(url.host);
      const isHttps = url.protocol === "https:";
      const headers = {
        // Registries tell who pulled: what we read ourselves is no use of an image.
        "user-agent": "bulwark",
        ...request.headers,
        ...(request.authorization === undefined ? {} : { authorization: request.authorization }),
      };
      const sent = (isHttps ? httpsRequest : httpRequest)(url, {
        method: request.method,
        headers,
        agent: isHttps ? https : http,
        timeout: limits.idleTimeoutMs,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
        ...(guarded ? { lookup: publicLookup } : {}),
        ...(guard === undefined ? {} : { lookup: guard.lookup }),
      });
      sent.on("timeout", () => sent.destroy(new Error(`no answer for ${limits.idleTimeoutMs} ms`)));
      sent.on("error", reject);
      sent.on("response", (body) => resolve({ status: body.statusCode ?? 0, headers: body.headers, body }));
      sent.end(request.body);
    });

  const followed = async (request: HttpRequest): Promise<HttpResponse> => {
    let current = request;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const response = await once(current);
      const location = response.headers.location;
      if (!REDIRECTS.has(response.status) || location === undefined) return response;
      response.body.destroy();
      current = redirected(request, current, location, options.plainHttp);
    }
    throw imageError("REGISTRY_REFUSED", `${request.url.host} redirects more than ${MAX_REDIRECTS} times`);
  };

  const pause = (attempt: number, retryAfter: string | undefined, signal: AbortSignal | undefined): Promise<void> =>
    wait(pauseMs(limits, attempt, retryAfter), signal);

  return {
    pause,
    async send(request) {
      for (let attempt = 1; ; attempt++) {
        throwIfCancelled(request.signal);
        const last = attempt >= limits.retryAttempts;
        try {
          const response = await followed(request);
          const again = response.status === 429 || (response.status >= 500 && response.status !== 501);
          if (!again || last) return response;
          response.body.destroy();
          await pause(attempt, response.headers["retry-after"], request.signal);
        } catch (error) {
          throwIfCancelled(request.signal);
          if (isImageError(error)) throw error;
          if (last || isPermanent(error)) throw unreachable(request.url.host, error);
          await pause(attempt, undefined, request.signal);
        }
      }
    },
    close() {
      http.destroy();
      https.destroy();
    },
  };
}

/** The request at the new place: credentials stay behind unless it is the same origin. */
function redirected(first: HttpRequest, from: HttpRequest, location: string, plainHttp: boolean): HttpRequest {
  let url: URL;
  try {
    url = new URL(location, from.url);
  } catch (error) {
    throw imageError("REGISTRY_REFUSED", `${from.url.host} redirects to something that is no address`, "", error);
  }
  const allowed = url.protocol === "https:" || (url.protocol === "http:" && plainHttp);
  if (!allowed)
    throw imageError(
      "REGISTRY_REFUSED",
      `${from.url.host} redirects to ${url.protocol}//${url.host}, which is not encrypted`,
    );
  if (first.body !== undefined && url.origin !== first.url.origin) {
    throw imageError("REGISTRY_REFUSED", `${from.url.host} redirects a request that holds a secret to ${url.host}`);
  }
  url.username = "";
  url.password = "";
  const { authorization, ...rest } = first;
  return url.origin === first.url.origin && authorization !== undefined
    ? { ...rest, authorization, url }
    : { ...rest, url };
}

function unreachable(host: string, error: unknown): Error {
  const reason = reasonOf(error);
  const tls = /certificate|self-signed|issuer/i.test(reason);
  const plain = /wrong version number|packet length too long/i.test(reason);
  const next = tls
    ? "give the registry's certificate authority with --ca-file"
    : plain
      ? "it seems to speak plain HTTP: write http:// before the reference if you trust the network"
      : "check the registry's name and the network";
  const why = plain ? "it does not speak TLS" : reason;
  return imageError("REGISTRY_UNREACHABLE", `${host} cannot be reached: ${why}`, next, error);
}

/** Errors that another try will not cure: unknown certificates, names that do not exist, TLS spoken to a plain port. */
function isPermanent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return (
    code === "ENOTFOUND" ||
    code.startsWith("ERR_TLS") ||
    code.startsWith("ERR_SSL") ||
    code === "EPROTO" ||
    /CERT|SELF_SIGNED|UNABLE_TO/.test(code)
  );
}

/** Full jitter over a doubling span; Retry-After in seconds or as a date goes before it. */
function pauseMs(limits: Limits, attempt: number, retryAfter: string | undefined): number {
  if (retryAfter !== undefined) {
    const asked = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
    if (asked >= 0) return Math.min(asked, limits.retryMaxDelayMs);
  }
  const span = Math.min(limits.retryMaxDelayMs, limits.retryDelayMs * 2 ** attempt);
  return span / 2 + Math.random() * (span / 2);
}

function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      clearTimeout(timer);
      reject(imageError("CANCELLED", "reading the image was cancelled", "", signal?.reason));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", cancel);
      resolve();
    }, ms);
    if (signal?.aborted) cancel();
    else signal?.addEventListener("abort", cancel, { once: true });
  });
}

/** A small body as text; what is over the limit is left out. */
export async function readErrorBody(response: HttpResponse): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_ERROR_BODY_BYTES) break;
      parts.push(chunk);
    }
  } catch (error) {
    return `(answer cut: ${reasonOf(error)})`;
  }
  return Buffer.concat(parts).toString("utf8");
}
