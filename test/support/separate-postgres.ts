import { type ExecFileSyncOptions, execFileSync } from "node:child_process";
import { chownSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./free-port.ts";

/** The eldest release that Bulwark takes may be what a distribution ships: Debian 12 has PostgreSQL 15. */
const PROGRAMS = "/usr/lib/postgresql/*/bin";
const PASSWORD = "seven quiet harbours";

/** A PostgreSQL server that Bulwark did not bring: on TCP, with a user who is no superuser, in a time zone of its own. */
export interface SeparatePostgres {
  /** As `DATABASE_URL` takes it. */
  readonly url: string;
  /** `15.8`, for instance. */
  readonly version: string;
  /** Runs a statement as the superuser, in Bulwark's database, and gives what psql prints. */
  query(statement: string): string;
  stop(): void;
}

/** Starts the distribution's own PostgreSQL below `directory`, whose parents others may enter. */
export async function startSeparatePostgres(directory: string): Promise<SeparatePostgres> {
  const programs = globSync(PROGRAMS).sort().at(-1);
  if (programs === undefined) throw new Error(`no PostgreSQL in ${PROGRAMS}: run make test-tools`);
  mkdirSync(directory, { mode: 0o755 });
  const options: ExecFileSyncOptions = { stdio: "pipe", encoding: "utf8", ...unprivileged(directory) };
  const run = (program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    String(
      execFileSync(join(programs, program), args, { ...options, cwd: directory, env: { ...process.env, ...env } }),
    );
  const cluster = join(directory, "cluster");
  writeFileSync(join(directory, "password"), PASSWORD, { mode: 0o644 });
  run("initdb", ["-D", cluster, "-U", "owner", "--auth=scram-sha-256", `--pwfile=${directory}/password`, "-E", "UTF8"]);
  const port = await freePort();
  const settings = [
    `-p ${port} -k ${directory} -c listen_addresses=127.0.0.1`,
    "-c timezone=Asia/Shanghai -c datestyle=German -c intervalstyle=iso_8601 -c standard_conforming_strings=on",
  ];
  run("pg_ctl", ["-D", cluster, "-w", "-l", join(directory, "log"), "-o", settings.join(" "), "start"]);
  const psql = (database: string, statement: string) => {
    const args = ["-h", "127.0.0.1", "-p", String(port), "-U", "owner", "-d", database, "-Atqc", statement];
    return run("psql", args, { PGPASSWORD: PASSWORD }).trim();
  };
  psql("postgres", `CREATE ROLE bulwark LOGIN CREATEROLE PASSWORD '${PASSWORD}'`);
  psql("postgres", "CREATE DATABASE bulwark OWNER bulwark");
  return {
    url: `postgresql://bulwark:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/bulwark`,
    version: psql("postgres", "SHOW server_version"),
    query: (statement) => psql("bulwark", statement),
    stop: () => void run("pg_ctl", ["-D", cluster, "-w", "-m", "fast", "stop"]),
  };
}

/** PostgreSQL refuses to run as root. */
function unprivileged(directory: string): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [, , uid, gid] =
    readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((line) => line.startsWith("nobody:"))
      ?.split(":") ?? [];
  chownSync(directory, Number(uid), Number(gid));
  return { uid: Number(uid), gid: Number(gid) };
}
