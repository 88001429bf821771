import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { RuleFile } from "@bulwark/detect";
import { CliError } from "./failure.ts";
import { readTextFile } from "./text-files.ts";

/** Where the rules lie that Bulwark ships. */
export const SHIPPED_RULES: string = join(import.meta.dirname, "../../../content/rules");

/**
 * Reads rule files; of a directory every `.yaml` below it, in the order of their paths.
 *
 * @throws CliError `FILE_UNREADABLE`
 */
export async function readRuleFiles(paths: readonly string[]): Promise<readonly RuleFile[]> {
  const files: RuleFile[] = [];
  for (const path of paths) {
    for (const name of await filesOf(path)) files.push({ name, text: await readTextFile(name, "rule") });
  }
  return files;
}

async function filesOf(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = await readdir(path, { recursive: true });
    const found = names.filter((name) => /\.ya?ml$/.test(name)).toSorted();
    return found.map((name) => join(path, name));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("FILE_UNREADABLE", `the rule file ${path} cannot be read: ${why}`, "check its path", cause);
  }
}
