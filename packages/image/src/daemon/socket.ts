import { statSync } from "node:fs";
import { imageError } from "../errors.ts";

/**
 * The first of the paths that is a socket.
 *
 * @param given the path that was asked for, which then is the only one
 * @throws DAEMON_UNREACHABLE
 */
export function findSocket(daemon: string, given: string | undefined, usual: readonly string[]): string {
  const candidates = given === undefined ? usual : [given];
  const found = candidates.find((path) => statSync(path, { throwIfNoEntry: false })?.isSocket() === true);
  if (found !== undefined) return found;
  throw imageError(
    "DAEMON_UNREACHABLE",
    `${daemon} has no socket at ${candidates.join(" or ")}`,
    `start ${daemon}, or give the path of its socket`,
  );
}

/** The error for a socket that does not answer as it should. */
export function daemonUnreachable(daemon: string, socket: string, reason: string, cause: unknown): Error {
  const denied = reason.includes("EACCES") || reason.includes("EPERM");
  const next = denied ? `run as a user who may use ${socket}` : `check that ${daemon} runs`;
  return imageError("DAEMON_UNREACHABLE", `${daemon} at ${socket} cannot be reached: ${reason}`, next, cause);
}
