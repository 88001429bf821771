import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { CodedError } from "@bulwark/model";

/** Where everything is kept: `--data`, `BULWARK_DATA`, else the system's place for root and the user's for others. */
export function dataDirectory(given: string | undefined): string {
  const chosen = given ?? process.env.BULWARK_DATA;
  if (chosen !== undefined && chosen !== "") return resolve(chosen);
  if (process.getuid?.() === 0) return "/var/lib/bulwark";
  const xdg = process.env.XDG_DATA_HOME;
  return join(xdg !== undefined && xdg !== "" ? xdg : join(homedir(), ".local/share"), "bulwark");
}

/**
 * The same for commands that work on what is there: a directory with a mistake in its name must not become a new installation.
 *
 * @throws CodedError `NOT_INSTALLED`
 */
export function installedDirectory(given: string | undefined): string {
  const directory = dataDirectory(given);
  if (existsSync(join(directory, "postgresql", "PG_VERSION"))) return directory;
  const next = "say where it is kept with --data DIR, or --database URL for a PostgreSQL server of yours";
  throw new CodedError("NOT_INSTALLED", `there is no database of Bulwark in ${directory}`, next);
}
