import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where tests keep what takes minutes and a mirror to make. It is the user's and not the clone's: a clean clone needs no mirror again, and
 * hangs on none that does not answer.
 */
export function madeOnce(): string {
  const { XDG_CACHE_HOME: home = "" } = process.env;
  const directory = join(home === "" ? join(homedir(), ".cache") : home, "bulwark-tests");
  mkdirSync(directory, { recursive: true });
  return directory;
}
