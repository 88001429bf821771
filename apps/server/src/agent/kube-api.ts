import { Agent, type IncomingMessage, request as plainRequest } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import { type Json, mapAt, textAt } from "@bulwark/kubernetes";
import { AgentError } from "./errors.ts";
import type { KubeAccess } from "./kube-access.ts";

const ANSWER_MS = 30_000;
/** An object has 1.5 MiB at most (etcd's bound on a request), each byte of which may take six in JSON as Go writes it. */
export const LARGEST_OBJECT_BYTES = 16 * 1024 * 1024;

const JSON_TYPE = "application/json";

interface Sent {
  readonly body?: string;
  readonly type?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

/** An answer of the API server that is an error, with its status. */
export class ApiStatus extends AgentError {
  readonly status: number;

  constructor(status: number, message: string) {
    super("API_REFUSED", message, status === 403 ? "grant the agent's role what it asks for" : "");
    this.status = status;
  }
}

interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Requests to one API server, as one user. */
export interface KubeApi {
  readonly access: KubeAccess;
  /** @throws ApiStatus for answers that are errors; AgentError `API_UNREACHABLE` for none */
  json(
    method: string,
    path: string,
    options?: {
      readonly body?: unknown;
      readonly patch?: boolean;
      readonly accept?: string;
      /** Bytes that the answer may have. */
      readonly most?: number;
      readonly signal?: AbortSignal;
    },
  ): Promise<Json>;
  /** The same for who looks at the status: errors are answers too. */
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<ApiAnswer>;
  /** The lines of an answer that does not end by itself, such as a watch. */
  lines(path: string, accept: string, signal: AbortSignal): AsyncGenerator<string>;
  close(): void;
}

/** Speaks to an API server in JSON over kept connections. */
export function openKubeApi(access: KubeAccess): KubeApi {
  const isSecure = access.server.startsWith("https:");
  const { ca, cert, key } = access;
  const agent = isSecure
    ? new SecureAgent({ keepAlive: true, maxSockets: 64, ca, cert, key, minVersion: "TLSv1.2" })
    : new Agent({ keepAlive: true, maxSockets: 64 });
  const send = (method: string, path: string, { body, type, accept = JSON_TYPE, signal }: Sent) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const token = access.token();
      const headers = {
        accept,
        "user-agent": "bulwark-agent",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": type, "content-length": String(Buffer.byteLength(body)) }),
      };
      const outgoing = (isSecure ? secureRequest : plainRequest)(
        `${access.server}${path}`,
        { method, agent, headers, ...(signal === undefined ? {} : { signal }) },
        resolve,
      );
      outgoing.on("error", (cause) =>
        reject(new AgentError("API_UNREACHABLE", `the API server does not answer: ${cause.message}`, "", cause)),
      );
      outgoing.end(body);
    });
  return {
    access,
    async json(method, path, { body, patch = false, accept = JSON_TYPE, most = LARGEST_OBJECT_BYTES, signal } = {}) {
      const type = patch ? "application/merge-patch+json" : JSON_TYPE;
      const ends = AbortSignal.any([AbortSignal.timeout(ANSWER_MS), ...(signal === undefined ? [] : [signal])]);
      const sent = body === undefined ? {} : { body: JSON.stringify(body), type };
      const answer = await send(method, path, { ...sent, accept, signal: ends });
      return checked(answer, await bodyOf(answer, most), `${method} ${path}`);
    },
    async call(method, path, body, type = JSON_TYPE) {
      const sent = body === undefined ? {} : { body: JSON.stringify(body), type };
      const answer = await send(method, path, { ...sent, signal: AbortSignal.timeout(ANSWER_MS) });
      const text = await bodyOf(answer);
      return { status: answer.statusCode ?? 0, body: parsedOf(text) ?? text };
    },
    async *lines(path, accept, signal) {
      const answer = await send("GET", path, { accept, signal });
      if (answer.statusCode !== 200) {
        checked(answer, await bodyOf(answer), `GET ${path}`);
        return;
      }
      yield* linesOf(answer);
    },
    close: () => agent.destroy(),
  };
}

function checked({ statusCode = 0 }: IncomingMessage, text: string, what: string): Json {
  const body = parsedOf(text);
  if (statusCode >= 400)
    throw new ApiStatus(statusCode, `${what}: ${textAt(body, "message") || `${statusCode} ${text.slice(0, 200)}`}`);
  if (body === undefined) throw new AgentError("API_UNREACHABLE", `${what} was not answered in JSON`);
  return mapAt({ body }, "body");
}

/** Undefined for what is no JSON. */
function parsedOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function bodyOf(answer: IncomingMessage, most = LARGEST_OBJECT_BYTES): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > most) throw new AgentError("TOO_LARGE", `the API server's answer is longer than ${most} bytes`);
      parts.push(part);
    }
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    throw new AgentError("API_UNREACHABLE", "the API server's answer was cut", "", cause);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Lines without their ends; what a connection left unfinished is no line. */
async function* linesOf(answer: IncomingMessage): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let size = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = part.indexOf(10); end !== -1; end = part.indexOf(10, from)) {
      rest.push(part.subarray(from, end));
      yield Buffer.concat(rest).toString("utf8");
      rest = [];
      size = 0;
      from = end + 1;
    }
    rest.push(part.subarray(from));
    size += part.length - from;
    if (size > LARGEST_OBJECT_BYTES) throw new AgentError("API_UNREACHABLE", "a line of the API server is too long");
  }
}
