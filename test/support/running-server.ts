import { chmodSync } from "node:fs";
import { dirname } from "node:path";
import { type RunningServer, type ServerOptions, startServer } from "@bulwark/server";
import pino from "pino";

export const PASSWORD = "four grey herons wading";
const PATIENCE_MS = 90_000;
const LOOK_AGAIN_MS = 100;

/** The API as a person uses it who is logged in. */
export interface ApiClient {
  /** The body of the answer; throws for a status that is no success. */
  call<Body = Readonly<Record<string, unknown>>>(method: string, path: string, body?: unknown): Promise<Body>;
  /** The answer itself. */
  send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response>;
}

export interface ServerUnderTest extends ApiClient {
  readonly running: RunningServer;
  readonly url: string;
  close(): Promise<void>;
}

/** Starts a server with all roles and logs its administrator in. */
export async function startTestServer(
  dataDirectory: string,
  options: Partial<ServerOptions> = {},
): Promise<ServerUnderTest> {
  // As root, the database runs as another user, who has to come through to its files.
  chmodSync(dirname(dataDirectory), 0o755);
  const running = await startServer({
    dataDirectory,
    roles: new Set(["api", "worker"]),
    host: "127.0.0.1",
    port: 0,
    concurrency: 2,
    adminPassword: PASSWORD,
    log: pino({ level: process.env.BULWARK_TEST_LOG ?? "silent" }),
    ...options,
  });
  return { running, url: running.url, ...(await logIn(running.url)), close: () => running.close() };
}

export async function logIn(url: string, login = "admin"): Promise<ApiClient> {
  const answer = await fetch(`${url}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ login, password: PASSWORD }),
  });
  if (!answer.ok) throw new Error(`log-in: ${answer.status} ${await answer.text()}`);
  const cookie = (answer.headers.getSetCookie()[0] ?? "").split(";")[0] ?? "";
  const { csrf } = (await answer.json()) as { csrf: string };
  const send: ApiClient["send"] = (method, path, body, signal) =>
    fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        cookie,
        "x-csrf-token": csrf,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  return {
    send,
    async call<Body>(method: string, path: string, body?: unknown) {
      const sent = await send(method, path, body);
      const text = await sent.text();
      if (!sent.ok) throw new Error(`${method} ${path}: ${sent.status} ${text}`);
      return (text === "" ? undefined : JSON.parse(text)) as Body;
    },
  };
}

/** Looks until what is looked for is there, and gives it. */
export async function until<Found>(what: string, look: () => Promise<Found | undefined | false>): Promise<Found> {
  const end = Date.now() + PATIENCE_MS;
  let trouble: unknown = "";
  while (Date.now() < end) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      trouble = error;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  throw new Error(`${what}: not within ${PATIENCE_MS} ms ${trouble}`);
}

export interface SeenJob {
  readonly id: number;
  readonly kind: string;
  readonly cause: string;
  readonly state: string;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly running: number;
  readonly progress: number;
}

/** Waits until a job ended. */
export function ended(server: ApiClient, id: number): Promise<SeenJob> {
  return until(`the end of job ${id}`, async () => {
    const job = await server.call<SeenJob>("GET", `/jobs/${id}`);
    return ["done", "failed", "cancelled"].includes(job.state) && job;
  });
}
