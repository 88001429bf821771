import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "./failure.ts";

const MAX_FILE_BYTES = 32 * 1024 * 1024;

/** A file of rules or lists. */
export interface ContentFileText {
  /** Path below the folder it was found in, or as the user gave it. */
  readonly name: string;
  readonly text: string;
}

/** All files below a folder whose names end with one of the endings, sorted. */
export function filesBelow(folder: string, endings: readonly string[]): readonly ContentFileText[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
}

/**
 * Files that the user named; a folder stands for all files below it with one of the endings.
 *
 * @throws CliError `FILE_UNREADABLE`
 */
export function namedFiles(
  paths: readonly string[],
  endings: readonly string[],
  what: string,
): readonly ContentFileText[] {
  return paths.flatMap((path) => {
    try {
      const { size } = statSync(path);
      if (statSync(path).isDirectory()) return filesBelow(path, endings);
      if (size > MAX_FILE_BYTES) throw new Error(`it has ${size} bytes, more than ${MAX_FILE_BYTES}`);
      return [{ name: path, text: readFileSync(path, "utf8") }];
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new CliError("FILE_UNREADABLE", `the ${what} ${path} cannot be read: ${why}`, "check its path", cause);
    }
  });
}

/** Names the content of files, for cache keys. */
export function digestOfFiles(release: string, files: readonly ContentFileText[]): string {
  const hash = createHash("sha256").update(release);
  for (const { name, text } of files) hash.update(`\0${name}\0${text.length}\0${text}`);
  return hash.digest("hex").slice(0, 16);
}
