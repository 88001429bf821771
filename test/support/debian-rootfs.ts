import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";

const CACHE = join(import.meta.dirname, "../../.cache");

/**
 * The tar of a real minimal Debian root file system, made once by mmdebstrap from this machine's Debian mirror and kept.
 * Undefined when it cannot be had, as on a machine without network.
 */
export function debianRootfs(): Uint8Array | undefined {
  const file = join(CACHE, "debian-bookworm-minbase.tar");
  if (!existsSync(file)) {
    mkdirSync(CACHE, { recursive: true });
    try {
      execFileSync("mmdebstrap", ["--quiet", "--format=tar", "--variant=minbase", "bookworm", `${file}.new`], {
        stdio: "pipe",
      });
    } catch (error) {
      console.warn(`no Debian root file system: ${error instanceof Error ? error.message.slice(0, 500) : error}`);
      return undefined;
    }
    renameSync(`${file}.new`, file);
  }
  return readFileSync(file);
}
