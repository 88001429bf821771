/** What was closed needs so long to be gone. */
const LEAVE_MS = 3_000;

/**
 * Ends the process soon after everything was closed, though a library may still hold something open: a connection that nobody answers keeps
 * nobody waiting. A process that ends by itself is not held up.
 */
export function leaveSoon(status: number): void {
  setTimeout(() => process.exit(status), LEAVE_MS).unref();
}
