import { randomUUID } from "node:crypto";
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "./places.ts";

const WRITABLE_BY_OTHERS = 0o022;

/**
 * A value that is costly to make, kept as JSON in the cache directory. The name ends with a digest of what it is made of;
 * values of the same name with another digest are thrown away. Where the directory cannot be written, the value is made
 * each time. A file that somebody else could have written is not believed: these are the rules that find secrets.
 *
 * @param name `what-DIGEST`
 */
export function keptJson<Value>(name: string, make: () => Value): Value {
  const directory = cacheDirectory();
  const file = join(directory, `${name}.json`);
  try {
    return JSON.parse(readOwn(file));
  } catch {
    // It is not there yet, is not ours, or was cut short when it was written: it is made anew.
  }
  const value = make();
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const stem = name.slice(0, name.lastIndexOf("-") + 1);
    for (const old of readdirSync(directory)) {
      if (old.startsWith(stem) && old.endsWith(".json")) rmSync(join(directory, old), { force: true });
    }
    const written = `${file}.${randomUUID()}`;
    writeFileSync(written, JSON.stringify(value), { mode: 0o600, flag: "wx" }); // follows no link that waits there
    renameSync(written, file);
  } catch {
    // A cache that cannot be written costs time, nothing else.
  }
  return value;
}

function readOwn(file: string): string {
  const descriptor = openSync(file, "r");
  try {
    const { uid, mode } = fstatSync(descriptor);
    if ((uid !== 0 && uid !== process.getuid?.()) || (mode & WRITABLE_BY_OTHERS) !== 0)
      throw new Error(`${file} is not ours`);
    return readFileSync(descriptor, "utf8");
  } finally {
    closeSync(descriptor);
  }
}
