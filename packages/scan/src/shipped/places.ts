import { homedir } from "node:os";
import { join } from "node:path";

/** Root of the repository or installation: content/ is found below it. */
const installationRoot: string = join(import.meta.dirname, "../../../..");

/** Where Bulwark keeps what it can make again: `BULWARK_CACHE_DIR`, else the user's cache directory. */
export function cacheDirectory(): string {
  const own = process.env.BULWARK_CACHE_DIR;
  if (own !== undefined && own !== "") return own;
  const xdg = process.env.XDG_CACHE_HOME;
  return join(xdg !== undefined && xdg !== "" ? xdg : join(homedir(), ".cache"), "bulwark");
}

/** The advisory database that `db update` keeps: `BULWARK_DB`, else one in the cache directory. */
export function databaseFile(): string {
  const own = process.env.BULWARK_DB;
  return own !== undefined && own !== "" ? own : join(cacheDirectory(), "advisories.db");
}

/** The shipped seed of landmark advisories, as OSV records. */
export const seedDirectory: string = join(installationRoot, "content/advisories");

/** The policy that holds when none is named. */
export const defaultPolicyFile: string = join(installationRoot, "content/policies/default.yaml");

/** Shipped knowledge of the content scanners, a folder each. */
export const contentDirectory: string = join(installationRoot, "content");
