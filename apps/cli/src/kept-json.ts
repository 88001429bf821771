import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "./places.ts";

/**
 * A value that is costly to make, kept as JSON in the cache directory. The name ends with a digest of what it is made of;
 * values of the same name with another digest are thrown away. Where the directory cannot be written, the value is made
 * each time.
 *
 * @param name `what-DIGEST`
 */
export function keptJson<Value>(name: string, make: () => Value): Value {
  const directory = cacheDirectory();
  const file = join(directory, `${name}.json`);
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // It is not there yet, or was cut short when it was written: it is made anew.
  }
  const value = make();
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const stem = name.slice(0, name.lastIndexOf("-") + 1);
    for (const old of readdirSync(directory)) {
      if (old.startsWith(stem) && old.endsWith(".json")) rmSync(join(directory, old), { force: true });
    }
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(value), { mode: 0o600 });
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    // A cache that cannot be written costs time, nothing else.
  }
  return value;
}
