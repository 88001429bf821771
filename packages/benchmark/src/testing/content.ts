import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Check } from "../check.ts";
import { readChecks } from "../read-checks.ts";

const ROOT = join(import.meta.dirname, "../../../../content/checks");

/** Paths of the shipped files of checks, relative to content/checks. */
export const CHECK_FILES: readonly string[] = readdirSync(ROOT, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".yaml"))
  .sort();

/** All shipped checks. */
export const SHIPPED_CHECKS: readonly Check[] = CHECK_FILES.flatMap((path) =>
  readChecks(readFileSync(join(ROOT, path), "utf8"), `content/checks/${path}`),
);
