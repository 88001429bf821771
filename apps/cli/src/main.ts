import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { cacheDirectory } from "@bulwark/scan/shipped/places";
import { reportFailure } from "./failure.ts";

// Modules are compiled once and kept: it halves the time that a scan from the cache takes.
enableCompileCache(join(cacheDirectory(), "compiled"));

/** What a shell says of a program that SIGPIPE ended (POSIX, "Exit Status for Commands": 128 and the signal's number). */
const SIGPIPE_EXIT = 141;

// A reader such as `head` that went away ends us as it ends others: a verdict that nobody waited for must not read as passed.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(SIGPIPE_EXIT);
});

try {
  const { run } = await import("./run.ts");
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.exitCode = reportFailure(error);
}
