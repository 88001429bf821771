import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";

const ROOT = join(import.meta.dirname, "../..");
const CONSOLE = join(ROOT, "apps/console");
const DIST = join(CONSOLE, "dist");
/** What the build reads. */
const SOURCES = ["apps/console/src", "apps/console/index.html", "apps/console/vite.config.ts", "content/translations"];

/**
 * Builds the console into the place from where servers serve it, unless what is there is newer than its sources. Other tests may be looking at
 * it: it is built beside, and put there at once.
 */
export async function buildConsole(): Promise<void> {
  if (builtAt() > Math.max(...[...SOURCES, "package-lock.json"].map((path) => newestOf(join(ROOT, path))))) return;
  const [fresh, old] = [`${DIST}.${process.pid}`, `${DIST}.${process.pid}.old`];
  // As people get it: what tests leave behind is what `make up` serves, so it must be no build for development.
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = "production";
  try {
    await build({ root: CONSOLE, logLevel: "error", build: { outDir: fresh, emptyOutDir: true } });
  } finally {
    process.env.NODE_ENV = before;
  }
  try {
    renameSync(DIST, old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  try {
    renameSync(fresh, DIST);
  } catch (error) {
    // Another test was faster: what it put there is the same.
    if (builtAt() === 0) throw error;
    rmSync(fresh, { recursive: true });
  }
  rmSync(old, { recursive: true, force: true });
}

/** Milliseconds; 0 when it was never built. */
function builtAt(): number {
  return statSync(join(DIST, "index.html"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function newestOf(path: string): number {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newestOf(join(path, name))));
}
