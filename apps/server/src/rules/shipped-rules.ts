import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { contentDirectory } from "@bulwark/scan/shipped/places";

/** The rules that are shipped, in the order in which they are loaded: content/rules/<number>-<name>/rule.yaml. */
export function shippedRules(): readonly { readonly name: string; readonly text: string }[] {
  const directory = join(contentDirectory, "rules");
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted()
    .map((name) => ({ name: `${name}/rule.yaml`, text: readFileSync(join(directory, name, "rule.yaml"), "utf8") }));
}
