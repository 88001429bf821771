import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readSecretRules } from "./read-rules.ts";
import { joinSecretRules, type SecretRules } from "./rule.ts";

/**
 * Reads the rules that Bulwark ships: every YAML file of the folder, as one set. They are tested, so they run without a
 * bound of time; rules of users go through {@link readSecretRules} or {@link readGitleaksRules}.
 *
 * @param folder `content/secrets` of the installation
 * @throws what reading the folder throws; rules that cannot be used are in `errors`
 */
export async function loadSecretRules(folder: string): Promise<SecretRules> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".yaml")).sort();
  const read = names.map(async (name) =>
    readSecretRules(await readFile(join(folder, name), "utf8"), name, { trusted: true }),
  );
  return joinSecretRules(await Promise.all(read));
}
