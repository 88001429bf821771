import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { madeOnce } from "./made-once.ts";

/** A mirror that does not answer is given up: nothing else of the test's process runs meanwhile. */
export const MAKE_ROOTFS_MS = 600_000;

/**
 * The tar of a real minimal Debian root file system, made once by mmdebstrap from this machine's Debian mirror and kept.
 * Undefined when it cannot be had, as on a machine without network.
 */
export function debianRootfs(): Uint8Array | undefined {
  const file = join(madeOnce(), "debian-bookworm-minbase.tar");
  const part = `${file}.${process.pid}`;
  if (!existsSync(file)) {
    try {
      execFileSync("mmdebstrap", ["--quiet", "--format=tar", "--variant=minbase", "bookworm", part], {
        ...{ stdio: "pipe", timeout: MAKE_ROOTFS_MS },
      });
    } catch (error) {
      console.warn(`no Debian root file system: ${error instanceof Error ? error.message.slice(0, 500) : error}`);
      return undefined;
    }
    renameSync(part, file);
  }
  return readFileSync(file);
}
