import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { ScanResult } from "@bulwark/scan";
import { CliError } from "./failure.ts";
import type { ScanArguments } from "./scan-options.ts";

const DIRECTORY = "dir:";

/**
 * Reads the files of `--sarif`, before the scan so that a wrong one costs no time.
 *
 * @returns what puts their results into a scan's; undefined when there are none
 * @throws CliError `FILE_UNREADABLE`, ScanError `SARIF_INVALID`
 */
export async function readOutside({
  sarif,
  source,
}: Pick<ScanArguments, "sarif" | "source">): Promise<
  (<Result extends ScanResult>(result: Result) => Result) | undefined
> {
  if (sarif.length === 0) return undefined;
  const { addOutside, MAX_SARIF_BYTES, readSarif } = await import("@bulwark/scan/source");
  const root = source.startsWith(DIRECTORY) ? { root: resolve(source.slice(DIRECTORY.length)) } : {};
  const results = await Promise.all(
    sarif.map(async (file) => readSarif(await bytesOf(file, MAX_SARIF_BYTES), file, root)),
  );
  return (result) => ({ ...result, ...addOutside(result, results) });
}

async function bytesOf(file: string, most: number): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size > most) throw new Error(`it has ${size} bytes, more than ${most}`);
    return await readFile(file);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("FILE_UNREADABLE", `the SARIF file ${file} cannot be read: ${why}`, "check its path", cause);
  }
}
