import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { StoreError } from "../errors.ts";
import { initializeCluster, makeOwnDirectory, postgresPrograms, postgresUser, type RunAs } from "./postgres-files.ts";

const READY = "database system is ready to accept connections";
const MAX_CONNECTIONS = 60;
/** Lines of the server's log that an error message shows. */
const SHOWN_LINES = 8;
/** A server that ended by itself, as on a full disk, is started again so often; after this long it is given up. */
const RESTART_MS = 1_000;
const RESTART_WITHIN_MS = 60 * 60_000;
/**
 * Nobody replicates from it. Without origins of replication a checkpoint on a full disk fails and is tried again, instead of
 * ending the server. (PostgreSQL, source of `CheckPointReplicationOrigin`.)
 */
const ALONE = ["wal_level=minimal", "max_wal_senders=0", "max_replication_slots=0", "max_active_replication_origins=0"];

/** A running PostgreSQL of our own. It listens on a socket in its directory and on no network. */
export interface EmbeddedPostgres {
  /** Connection string of its superuser, as `openStore` takes it. */
  readonly url: string;
  /** Resolves when the server ended by itself and does not start again either, with its last words. */
  readonly ended: Promise<string>;
  /** Ends it as `pg_ctl stop -m fast` does: running transactions are rolled back, what was committed is on disk. */
  stop(): Promise<void>;
}

/**
 * Starts the embedded PostgreSQL, after making its cluster when there is none yet. Should it end by itself, it is started
 * again, with what was committed.
 *
 * @param dataDirectory made when missing; everything lies in it
 * @param onEnd told the last words of a server that ended by itself
 * @throws StoreError `POSTGRES_MISSING`, `POSTGRES_FAILED`, `DATA_IN_USE`
 * @example const postgres = await startPostgres("/var/lib/bulwark"); const store = await openStore(postgres.url);
 */
export async function startPostgres(
  dataDirectory: string,
  onEnd: (lastWords: string) => void = () => {},
): Promise<EmbeddedPostgres> {
  const runAs = postgresUser();
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  // Another user has to come through to the cluster; what is secret lies in directories and files of its own mode.
  if (runAs !== undefined) chmodSync(dataDirectory, 0o711);
  const programs = postgresPrograms(dataDirectory, runAs);
  const cluster = join(dataDirectory, "postgresql");
  const sockets = join(dataDirectory, "run");
  const passwordFile = join(dataDirectory, "postgresql.password");
  claim(dataDirectory);
  makeOwnDirectory(sockets, runAs);
  makeCluster(programs, cluster, passwordFile, runAs);
  await endOrphan(cluster);
  const stopping = new AbortController();
  const launch = () => launchServer({ programs, cluster, sockets, runAs }, stopping.signal);
  const ended = keepRunning(await launch(), launch, stopping.signal, onEnd);
  const password = readFileSync(passwordFile, "utf8").trim();
  const address = new URLSearchParams({ host: sockets, user: "bulwark", password, dbname: "postgres" });
  return {
    url: `postgresql:///postgres?${address}`,
    ended,
    async stop() {
      stopping.abort();
      await ended;
      rmSync(join(dataDirectory, "bulwark.pid"), { force: true });
    },
  };
}

interface Cluster {
  readonly programs: string;
  readonly cluster: string;
  readonly sockets: string;
  readonly runAs: RunAs | undefined;
}

/** A server that takes connections. */
interface Launched {
  /** Its last lines, once it ended. */
  readonly ended: Promise<string>;
}

/** @param stopping ends it, as `pg_ctl stop -m fast` does */
async function launchServer({ programs, cluster, sockets, runAs }: Cluster, stopping: AbortSignal): Promise<Launched> {
  const settings = ["listen_addresses=", `max_connections=${MAX_CONNECTIONS}`, ...ALONE];
  const args = ["-D", cluster, "-k", sockets, ...settings.flatMap((setting) => ["-c", setting])];
  const server = spawn(join(programs, "postgres"), args, {
    ...(runAs ?? {}),
    cwd: "/",
    env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
    stdio: ["ignore", "ignore", "pipe"],
    // Ctrl-C reaches the whole process group of the terminal: the database must outlive what still works with it.
    detached: true,
  });
  const stop = () => server.kill("SIGINT");
  stopping.addEventListener("abort", stop);
  const exited = new Promise<void>((resolve) => void server.once("close", () => resolve()));
  try {
    const log = await untilReady(server, cluster);
    return { ended: exited.then(() => log.join("\n")) };
  } finally {
    void exited.then(() => stopping.removeEventListener("abort", stop));
  }
}

/** Starts a server again each time it ended by itself. Gives the last words of the last one. */
async function keepRunning(
  first: Launched,
  launch: () => Promise<Launched>,
  stopping: AbortSignal,
  onEnd: (lastWords: string) => void,
): Promise<string> {
  let running: Launched | undefined = first;
  let lastWords = "";
  let since = 0;
  for (;;) {
    if (running !== undefined) {
      lastWords = await running.ended;
      since = Date.now();
    }
    if (stopping.aborted || Date.now() - since > RESTART_WITHIN_MS) return lastWords;
    if (running !== undefined) onEnd(lastWords);
    // Told to stop, it waits no longer.
    await setTimeout(RESTART_MS, undefined, { signal: stopping }).catch(() => {});
    if (stopping.aborted) return lastWords;
    running = await launch().catch((error: Error) => {
      lastWords = error.message;
      return undefined;
    });
  }
}

/** Two servers must not share a data directory: the first writes its process id there. */
function claim(dataDirectory: string): void {
  const file = join(dataDirectory, "bulwark.pid");
  const holder = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  if (holder > 0 && holder !== process.pid && isAlive(holder)) {
    throw new StoreError(
      "DATA_IN_USE",
      `process ${holder} uses ${dataDirectory} already`,
      "stop it, or choose another data directory with --data",
    );
  }
  writeFileSync(file, String(process.pid));
}

function makeCluster(programs: string, cluster: string, passwordFile: string, runAs: RunAs | undefined): void {
  if (existsSync(join(cluster, "PG_VERSION"))) return;
  rmSync(cluster, { recursive: true, force: true }); // what a start that was cut short left
  writeFileSync(passwordFile, `${randomBytes(24).toString("hex")}\n`, { mode: 0o600 });
  chmodSync(passwordFile, 0o600);
  if (runAs !== undefined) chownSync(passwordFile, runAs.uid, runAs.gid);
  makeOwnDirectory(cluster, runAs);
  initializeCluster(programs, cluster, passwordFile, runAs);
}

/** A server whose parent was killed goes on alone: it is ended before its cluster is opened again. */
async function endOrphan(cluster: string): Promise<void> {
  const file = join(cluster, "postmaster.pid");
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
  if (!(pid > 0) || workingDirectoryOf(pid) !== cluster) return;
  process.kill(pid, "SIGINT");
  while (workingDirectoryOf(pid) === cluster) await setTimeout(20);
}

/** Empty when there is no such process, or its directory cannot be told. */
function workingDirectoryOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The server's last lines; goes on collecting them. */
function untilReady(server: ChildProcess, cluster: string): Promise<string[]> {
  const log: string[] = [];
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(failed(cluster, [cause.message])));
    server.once("exit", () => reject(failed(cluster, log)));
    if (server.stderr === null) return;
    createInterface({ input: server.stderr }).on("line", (line) => {
      log.push(line);
      if (log.length > SHOWN_LINES) log.shift();
      if (line.includes(READY)) resolve(log);
    });
  });
}

function failed(cluster: string, log: readonly string[]): StoreError {
  return new StoreError(
    "POSTGRES_FAILED",
    `PostgreSQL does not start on ${cluster}:\n${log.join("\n")}`,
    "the lines above tell why; a full disk and foreign file owners are the usual reasons",
  );
}
