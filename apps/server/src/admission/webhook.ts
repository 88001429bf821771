import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createSecureContext, type TLSSocket } from "node:tls";
import { AdmissionError, MAX_REVIEW_BYTES, type ReviewAnswer, refusal } from "@bulwark/kubernetes";
import { CodedError } from "@bulwark/model";
import type { Decider } from "./decide.ts";

/** Reviews that are read or judged at once, and the bytes that they hold together. More are shed. */
const MAX_REVIEWS = 512;
const MAX_HELD_BYTES = 64 * 1024 * 1024;
const MAX_CONNECTIONS = 2_000;
/** The API server sends a whole review at once. */
const BODY_MS = 5_000;
const HEADERS_MS = 5_000;
const HANDSHAKE_MS = 5_000;
const KEEP_ALIVE_MS = 75_000;
/** An image that is unknown is waited for this long at most, and less where the API server waits less. */
const WAIT_MS = 5_000;
/** What is left of the API server's time for everything but the wait. */
const MARGIN_MS = 1_000;
const DEFAULT_TIMEOUT_MS = 10_000;

export interface WebhookCounts {
  readonly answered: number;
  readonly denied: number;
  readonly shed: number;
  readonly refused: number;
  readonly failed: number;
}

/** A listening webhook. */
export interface Webhook {
  readonly port: number;
  readonly counts: WebhookCounts;
  /** Connections that are made from now on get this certificate; those that are open stay. */
  certify(certificate: Certificate): void;
  /** Answers `/readyz` with 503, so that no new requests come, and goes on answering. */
  drain(): void;
  close(): Promise<void>;
}

/** PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** What else the listener answers, such as `/audit`. */
export type Handlers = Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>>;

/**
 * Listens for the API server: HTTPS, HTTP/1.1 (which is what API servers speak to webhooks) and HTTP/2.
 *
 * @param handlers by path, beside the webhook's own
 */
export async function listenForReviews(
  decider: Decider,
  certificate: Certificate,
  { host, port }: { readonly host: string; readonly port: number },
  onError: (error: unknown) => void,
  handlers: Handlers = {},
): Promise<Webhook> {
  const counts = { answered: 0, denied: 0, shed: 0, refused: 0, failed: 0 };
  let reviews = 0;
  let held = 0;
  let isDraining = false;

  const review = async (request: IncomingMessage, response: ServerResponse, judge: Decider["validate"]) => {
    const expected = Number(request.headers["content-length"] ?? 0);
    if (reviews >= MAX_REVIEWS || held + expected > MAX_HELD_BYTES) {
      counts.shed++;
      response.setHeader("retry-after", "1");
      return refuse(request, response, 429, "too many reviews at once; try again");
    }
    reviews++;
    let size = 0;
    let body = "";
    try {
      body = await bodyOf(request, (bytes) => {
        size += bytes;
        held += bytes;
        return held <= MAX_HELD_BYTES;
      });
      const answer = await judge(body, waitFor(request.url ?? ""));
      counts.answered++;
      if (!answer.response.allowed) counts.denied++;
      send(response, 200, answer);
    } catch (error) {
      const { status, message } = problemOf(error);
      if (status === 429) counts.shed++;
      else if (status < 500) counts.refused++;
      else counts.failed++;
      if (status === 500) onError(error);
      // To the API server any other status is a call that failed, which its failurePolicy may let pass.
      const uid = error instanceof AdmissionError && judge === decider.validate ? uidOf(body) : undefined;
      if (uid !== undefined) send(response, 200, refusal(uid, status, `Bulwark cannot judge it: ${message}`));
      else refuse(request, response, status, message);
    } finally {
      reviews--;
      held -= size;
    }
  };

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const own = Object.hasOwn(handlers, path) ? handlers[path] : undefined;
    if (own !== undefined) own(request, response);
    else if (path === "/healthz") send(response, 200, { status: "ok" });
    else if (path === "/readyz") {
      const why = isDraining ? "it is ending" : decider.notReady;
      send(response, why === "" ? 200 : 503, { status: why === "" ? "ok" : why });
    } else if (path !== "/validate" && path !== "/mutate")
      refuse(request, response, 404, `there is no ${path.slice(0, 100)}`);
    else if (request.method !== "POST") refuse(request, response, 405, "reviews come by POST");
    else if (!(request.headers["content-type"] ?? "").startsWith("application/json"))
      refuse(request, response, 415, "a review is application/json");
    else void review(request, response, path === "/validate" ? decider.validate : decider.mutate);
  };

  const secured = createHttpsServer(
    {
      ...{ ...certificate, minVersion: "TLSv1.2", ALPNProtocols: ["h2", "http/1.1"], handshakeTimeout: HANDSHAKE_MS },
      ...{ keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_MS, requestTimeout: BODY_MS + HEADERS_MS },
      connectionsCheckingInterval: 1_000,
    },
    answer,
  );
  secured.maxConnections = MAX_CONNECTIONS;
  const multiplexed = createHttp2Server({ settings: { maxConcurrentStreams: 250 } }, (request, response) =>
    answer(request as unknown as IncomingMessage, response as unknown as ServerResponse),
  );
  const sockets = new Set<TLSSocket>();
  const [plain] = secured.listeners("secureConnection") as ((socket: TLSSocket) => void)[];
  secured.removeAllListeners("secureConnection");
  secured.on("secureConnection", (socket: TLSSocket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // Who leaves in the middle is nobody's error.
    socket.on("error", () => {});
    if (socket.alpnProtocol === "h2") multiplexed.emit("connection", socket);
    else plain?.call(secured, socket);
  });
  secured.on("tlsClientError", () => {});
  multiplexed.on("sessionError", () => {});
  await new Promise<void>((resolve, reject) => {
    secured.once("error", reject);
    secured.listen(port, host, resolve);
  });
  const address = secured.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    counts,
    certify(next) {
      // Throws here, where it is told, and not in the middle of a handshake.
      createSecureContext(next);
      secured.setSecureContext({ ...next, minVersion: "TLSv1.2" });
    },
    drain() {
      isDraining = true;
    },
    async close() {
      isDraining = true;
      const closed = new Promise<void>((resolve) => secured.close(() => resolve()));
      secured.closeIdleConnections();
      const late = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, BODY_MS);
      // Connections that only wait for more end now, whatever they speak.
      while (reviews > 0 && sockets.size > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      for (const socket of sockets) socket.end();
      await closed;
      clearTimeout(late);
    },
  };
}

/** The API server tells in the address how long it waits (Kubernetes, "Dynamic Admission Control", timeouts). */
function waitFor(url: string): number {
  const given = /[?&]timeout=(\d{1,4})s?(?:&|$)/.exec(url)?.[1];
  const timeoutMs = given === undefined ? DEFAULT_TIMEOUT_MS : Number(given) * 1_000;
  return Math.max(50, Math.min(WAIT_MS, timeoutMs - MARGIN_MS));
}

class BodyError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** @param take counts what came; false when no more may be held */
function bodyOf(request: IncomingMessage, take: (bytes: number) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const late = setTimeout(() => fail(new BodyError(408, `the review did not come within ${BODY_MS} ms`)), BODY_MS);
    const fail = (error: Error) => {
      clearTimeout(late);
      request.removeAllListeners("data");
      request.resume();
      reject(error);
    };
    request.on("data", (part: Buffer) => {
      size += part.length;
      if (size > MAX_REVIEW_BYTES) fail(new BodyError(413, `a review has at most ${MAX_REVIEW_BYTES} bytes`));
      else if (!take(part.length)) fail(new BodyError(429, "too many reviews at once; try again"));
      else parts.push(part);
    });
    request.on("end", () => {
      clearTimeout(late);
      resolve((parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)).toString("utf8"));
    });
    request.on("error", fail);
    request.on("close", () => {
      if (!request.complete) fail(new BodyError(400, "the review ended in the middle"));
    });
  });
}

/** The request's uid, which API servers write before everything that somebody else wrote. */
function uidOf(body: string): string | undefined {
  const head = /^\{"kind":"AdmissionReview","apiVersion":"[^"]{1,60}","request":\{"uid":"([\w-]{1,100})"/;
  return head.exec(body.slice(0, 300))?.[1];
}

function problemOf(error: unknown): { readonly status: number; readonly message: string } {
  if (error instanceof BodyError) return error;
  if (error instanceof AdmissionError) return { status: 400, message: error.message };
  if (error instanceof CodedError) return { status: 503, message: error.message };
  return { status: 500, message: "the review could not be judged" };
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number, message: string): void {
  // What is still to come is not waited for.
  if (!request.complete && request.httpVersionMajor === 1) response.setHeader("connection", "close");
  send(response, status, { error: message });
}

function send(response: ServerResponse, status: number, body: ReviewAnswer | Readonly<Record<string, string>>): void {
  if (response.writableEnded || response.destroyed) return;
  const text = JSON.stringify(body);
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", Buffer.byteLength(text));
  response.end(text);
}
