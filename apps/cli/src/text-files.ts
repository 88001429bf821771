import { readFile, stat, writeFile } from "node:fs/promises";
import { CliError } from "./failure.ts";

const MAX_TEXT_BYTES = 64 * 1024 * 1024;

/**
 * Reads a file that the user named.
 *
 * @param what what the file is, for the message: `policy`
 * @throws CliError `FILE_UNREADABLE`
 */
export async function readTextFile(file: string, what: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_TEXT_BYTES) throw new Error(`it has ${size} bytes, more than ${MAX_TEXT_BYTES}`);
    return await readFile(file, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("FILE_UNREADABLE", `the ${what} file ${file} cannot be read: ${why}`, "check its path", cause);
  }
}

/** @throws CliError `OUTPUT_UNWRITABLE` */
export async function writeTextFile(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("OUTPUT_UNWRITABLE", `${file} cannot be written: ${why}`, "choose another --output", cause);
  }
}
