import { join } from "node:path";
import { openStore, type Store } from "@bulwark/store";
import { startPostgres } from "@bulwark/store/embedded";
import type { FastifyBaseLogger } from "fastify";
import { ensureAdmin } from "./accounts/ensure-admin.ts";
import { type App, createApp } from "./app.ts";
import { cleanUpHandler } from "./cleanups/clean-up-task.ts";
import { updateAdvisoriesHandler } from "./database/update-task.ts";
import { openEventHub } from "./events/hub.ts";
import { startExports } from "./exports/run-exports.ts";
import { demandFreeAddress } from "./free-address.ts";
import { startGatewayRole } from "./gateway/start-gateway-role.ts";
import { startProbeServer } from "./health/probe-server.ts";
import { openQueue, type Queue } from "./jobs/queue.ts";
import { startWorker, type Worker } from "./jobs/worker.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { syncHandler } from "./registries/sync.ts";
import type { Retention } from "./runtime-events/keep-runtime.ts";
import { scanHostHandler } from "./scans/scan-host-task.ts";
import { scanImageHandler } from "./scans/scan-image-task.ts";
import { type LocalDeps, scanLocalHandler } from "./scans/scan-local-task.ts";
import { type ScannerTools, scannerTools } from "./scans/tools.ts";
import { scheduleWork } from "./schedule-work.ts";
import { createAuthenticator } from "./security/authenticator.ts";
import { proveKeys } from "./security/prove-keys.ts";
import { openSecretBox, type SecretBox } from "./security/secret-box.ts";

const CLOSE_WITHIN_MS = 20_000;
const ANSWER_WITHIN_MS = 5_000;

export type ServerRole = "api" | "gateway" | "worker";

export interface ServerOptions {
  /** Holds the embedded database, keys and whatever else the server keeps. */
  readonly dataDirectory: string;
  /** Address of a PostgreSQL server; left out: the embedded one is started. */
  readonly databaseUrl?: string;
  readonly roles: ReadonlySet<ServerRole>;
  readonly host: string;
  readonly port: number;
  readonly https?: { readonly key: string; readonly cert: string };
  readonly publicUrl?: string;
  readonly trustedProxies?: readonly string[];
  /** Where sensors connect; for the role gateway. */
  readonly gateway?: { readonly host: string; readonly port: number };
  /** Where probes are answered without TLS, beside the API or without one. */
  readonly probes?: { readonly host: string; readonly port: number };
  readonly kmsCommand?: readonly string[];
  /** Tasks that this process does at once. */
  readonly concurrency: number;
  /** How long events are kept; 30 days and 50 GiB at most if left out. */
  readonly retention?: Retention;
  /** Pause before the second try of a task, doubled for each further one; 10 s if left out. */
  readonly retryMs?: number;
  /** Where the daemons of a worker's machine listen, if not where they usually do. */
  readonly sockets?: NonNullable<LocalDeps["sockets"]>;
  /** First password of `admin`; a random one is made without it. */
  readonly adminPassword?: string;
  readonly log: FastifyBaseLogger;
}

export interface RunningServer {
  /** `http://127.0.0.1:8080`; empty where the API is not among the roles. */
  readonly url: string;
  /** Where sensors connect, `127.0.0.1:9443`; empty where the gateway is not among the roles. */
  readonly gateway: string;
  /** The first password of `admin`, where this start made one. */
  readonly password: string | undefined;
  readonly store: Store;
  readonly queue: Queue;
  /** Resolves when the embedded database ended by itself and does not start again: nothing works from then on. */
  readonly broken: Promise<string>;
  /** Ends listeners, lets tasks that run finish, closes the database. */
  close(): Promise<void>;
}

/** Starts a server in any mix of roles. What a start that fails had opened is closed again. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const opened: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of opened.toReversed()) await end();
  };
  try {
    return { ...(await start(options, opened)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @param opened gets what is to be called, last first, to end the server */
async function start(options: ServerOptions, opened: (() => Promise<void>)[]): Promise<Omit<RunningServer, "close">> {
  const { dataDirectory, log, roles } = options;
  if (roles.has("api")) await demandFreeAddress(options, "--listen");
  if (roles.has("gateway") && options.gateway !== undefined) await demandFreeAddress(options.gateway, "--gateway");
  const tell = (log: string) => options.log.error({ log }, "the embedded database ended by itself; starting it again");
  const postgres = options.databaseUrl === undefined ? await startPostgres(dataDirectory, tell) : undefined;
  if (postgres !== undefined) opened.push(postgres.stop);
  const url = options.databaseUrl ?? postgres?.url ?? "";
  const store = await openStore(url);
  opened.push(store.close);
  const keys = { file: join(dataDirectory, "master-keys.json") };
  const secrets = await openSecretBox(
    options.kmsCommand === undefined ? keys : { ...keys, kmsCommand: options.kmsCommand },
  );
  await proveKeys(store, secrets);
  const clock = () => new Date();
  const password = await ensureAdmin(store, clock(), options.adminPassword);
  const tools = scannerTools();
  opened.push(async () => tools.close());
  const queue = await openQueue(url, (error) => log.error({ err: error }, "the queue has trouble"));
  opened.push(() => queue.close(CLOSE_WITHIN_MS));
  if (roles.has("worker")) {
    const { publicUrl, retention } = options;
    const worker = await startWork({ store, secrets, queue, tools, clock, log, publicUrl, retention }, options);
    opened.push(worker.close);
    opened.push(startExports({ store, secrets, clock, log }).close);
  }
  const { gateway: address } = options;
  const gateway =
    roles.has("gateway") && address !== undefined
      ? await startGatewayRole({ store, secrets, queue, clock, log }, address)
      : undefined;
  if (gateway !== undefined) opened.push(gateway.close);
  const api = roles.has("api") ? await startApi(options, { store, secrets, queue, clock }) : undefined;
  if (api !== undefined) opened.push(api.close);
  if (options.probes !== undefined)
    opened.push((await startProbeServer(store, options.probes, createMetrics(store, clock))).close);
  return {
    url: api?.url ?? "",
    gateway: gateway === undefined ? "" : `${address?.host}:${gateway.port}`,
    password,
    store,
    queue,
    broken: postgres?.ended ?? new Promise(() => {}),
  };
}

interface WorkDeps {
  readonly store: Store;
  readonly secrets: SecretBox;
  readonly queue: Queue;
  readonly tools: ScannerTools;
  readonly clock: () => Date;
  readonly log: FastifyBaseLogger;
  readonly publicUrl: string | undefined;
  readonly retention: Retention | undefined;
}

async function startWork(deps: WorkDeps, { concurrency, retryMs, sockets }: ServerOptions): Promise<Worker> {
  const handlers = {
    "sync-registry": syncHandler(deps),
    "scan-image": scanImageHandler(deps),
    "clean-up": cleanUpHandler(sockets === undefined ? deps : { ...deps, sockets }),
    "scan-host": scanHostHandler(deps),
    "update-advisories": updateAdvisoriesHandler(deps),
    "scan-local": scanLocalHandler(sockets === undefined ? deps : { ...deps, sockets }),
  };
  const worker = await startWorker({ ...deps, handlers, ...(retryMs === undefined ? {} : { retryMs }) }, concurrency);
  await scheduleWork(deps);
  return worker;
}

async function startApi(
  options: ServerOptions,
  { store, secrets, queue, clock }: Pick<WorkDeps, "store" | "secrets" | "queue" | "clock">,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const events = await openEventHub(store);
  const { https, publicUrl, trustedProxies, log, host, port } = options;
  const app: App = await createApp({
    store,
    secrets,
    queue,
    events,
    clock,
    authenticate: createAuthenticator({ store, clock }),
    logger: log,
    ...(https === undefined ? {} : { https }),
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(trustedProxies === undefined ? {} : { trustedProxies }),
  });
  const url = await app.listen({ host, port });
  return {
    url,
    async close() {
      // Requests that run are answered; connections that are merely kept open are not waited for.
      const late = setTimeout(() => app.server.closeAllConnections(), ANSWER_WITHIN_MS);
      await app.close();
      clearTimeout(late);
      await events.close();
    },
  };
}
