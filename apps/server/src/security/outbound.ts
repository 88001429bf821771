import { lookup as resolveName } from "node:dns";
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { rootCertificates } from "node:tls";
import { ServerError } from "../errors.ts";
import { classOfAddress } from "./address-class.ts";

const IDLE_TIMEOUT_MS = 30_000;
const TOTAL_TIMEOUT_MS = 60_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
const MAX_FREE_SOCKETS = 4;

export interface OutboundOptions {
  /** The target may be on this machine or in a private network. Metadata services stay out of reach. */
  readonly allowPrivate?: boolean;
  /** PEM text to trust beside the certificates that Node brings. */
  readonly ca?: string;
}

/**
 * Requests to addresses that users entered: registries, webhooks, identity providers. A connection is made to the very
 * address that was checked, so that a name which resolves differently a moment later gains nothing (DNS rebinding).
 */
export interface Outbound {
  /** For `http.request` and clients that take an agent; each connection through them is checked. */
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
  /** For clients that take a `lookup`. Node skips it for hosts that are addresses: call `check` too. */
  readonly lookup: LookupFunction;
  /**
   * Refuses a URL before anything is stored or sent.
   *
   * @throws ServerError `ADDRESS_REFUSED`, `INVALID_REQUEST`
   */
  check(url: string | URL): Promise<void>;
  /**
   * A `fetch` that follows no redirect, waits a minute at most and reads 1 MiB at most.
   *
   * @throws ServerError `ADDRESS_REFUSED`, `UPSTREAM_FAILED`
   */
  fetch(url: string | URL, init?: OutboundRequest): Promise<Response>;
  close(): void;
}

interface OutboundRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @example const outbound = createOutbound({ allowPrivate: false }); await outbound.check(webhook.url); */
export function createOutbound(options: OutboundOptions = {}): Outbound {
  const allowed = (address: string) => {
    const found = classOfAddress(address);
    return found === "public" || (found === "private" && options.allowPrivate === true);
  };
  const lookup = guardedLookup(allowed);
  // No timeout here: a kept connection would end with the few seconds that it may idle. Each request brings its own.
  const shared = { keepAlive: true, maxFreeSockets: MAX_FREE_SOCKETS };
  const agents = {
    http: guarded(new HttpAgent(shared), allowed, lookup),
    https: guarded(
      new HttpsAgent(options.ca === undefined ? shared : { ...shared, ca: [...rootCertificates, options.ca] }),
      allowed,
      lookup,
    ),
  };
  return {
    agents,
    lookup,
    async check(url) {
      const { hostname } = httpUrl(url);
      const host = bare(hostname);
      await new Promise<void>((resolve, reject) => {
        lookup(host, { all: true }, (error) => (error === null ? resolve() : reject(unreachable(host, error))));
      });
    },
    fetch: (url, init) => send(agents, httpUrl(url), init ?? {}),
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** Refuses a name as a whole when one of its addresses is refused. */
function guardedLookup(allowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      if (!addresses.every(({ address }) => allowed(address))) return callback(refused(hostname), []);
      if (options.all === true) return callback(null, addresses);
      callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  };
}

/** Makes an agent check what it connects to: names through `lookup`, addresses, for which Node looks nothing up, here. */
function guarded<Agent extends HttpAgent>(
  agent: Agent,
  allowed: (address: string) => boolean,
  lookup: LookupFunction,
): Agent {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const host = bare(String(options.host ?? "localhost"));
    if (isIP(host) !== 0 && !allowed(host)) {
      callback?.(refused(host), undefined as never);
      return undefined as never;
    }
    return connect({ ...options, lookup }, callback);
  };
  return agent;
}

function send(agents: Outbound["agents"], url: URL, init: OutboundRequest): Promise<Response> {
  const isHttps = url.protocol === "https:";
  const limit = AbortSignal.timeout(TOTAL_TIMEOUT_MS);
  const signal = init.signal == null ? limit : AbortSignal.any([limit, init.signal]);
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(unreachable(url.host, error));
    const sent = (isHttps ? httpsRequest : httpRequest)(url, {
      method: init.method ?? "GET",
      headers: { ...init.headers },
      agent: isHttps ? agents.https : agents.http,
      timeout: IDLE_TIMEOUT_MS,
      signal,
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer for ${IDLE_TIMEOUT_MS / 1000} s`)));
    sent.on("error", fail);
    sent.on("response", (answer) => void responseOf(answer).then(resolve, fail));
    sent.end(init.body);
  });
}

async function responseOf(answer: IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  const status = answer.statusCode ?? 0;
  const headers = Object.entries(answer.headersDistinct).flatMap(([name, values]) =>
    (values ?? []).map((value): [string, string] => [name, value]),
  );
  // Statuses without content must have no body (Fetch standard, "null body status").
  const body = [204, 205, 304].includes(status) ? null : Buffer.concat(chunks);
  return new Response(body, { status, headers });
}

function httpUrl(text: string | URL): URL {
  const url = URL.parse(String(text));
  const next = "give an address that begins with https://, without a user in it";
  if (url === null) throw new ServerError("INVALID_REQUEST", "the address is no URL", next);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new ServerError("INVALID_REQUEST", `addresses of the kind ${url.protocol} are not called`, next);
  }
  if (url.username === "" && url.password === "") return url;
  throw new ServerError("INVALID_REQUEST", "the address holds a user or password", next);
}

function bare(hostname: string): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

function refused(host: string): ServerError {
  return new ServerError(
    "ADDRESS_REFUSED",
    `${host} leads to this machine, a private network or a reserved address`,
    "if that is meant, allow private networks for this target",
  );
}

function unreachable(host: string, cause: Error): ServerError {
  if (cause instanceof ServerError) return cause;
  const next = "check the address, its name in DNS, and that this server may reach it";
  return new ServerError("UPSTREAM_FAILED", `${host} does not answer: ${cause.message}`, next, cause);
}
