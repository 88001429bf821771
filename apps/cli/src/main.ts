import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { cacheDirectory } from "@bulwark/scan/shipped/places";
import { reportFailure } from "./failure.ts";

// Modules are compiled once and kept: it halves the time that a scan from the cache takes.
enableCompileCache(join(cacheDirectory(), "compiled"));

// A reader such as `head` that went away is no failure of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

try {
  const { run } = await import("./run.ts");
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.exitCode = reportFailure(error);
}
