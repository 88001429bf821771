import { existsSync, readFileSync } from "node:fs";

/** A variable, or the file that the variable of the same name with `_FILE` names: orchestrators keep secrets in files. */
export function secretOf(name: string): string | undefined {
  const file = process.env[`${name}_FILE`];
  return file === undefined || file === "" ? process.env[name] : readFileSync(file, "utf8").trim();
}

/** The same of a secret that may be gone, such as one that is only needed once. */
export function optionalSecretOf(name: string): string | undefined {
  const file = process.env[`${name}_FILE`] ?? "";
  return file !== "" && !existsSync(file) ? undefined : secretOf(name);
}
