import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { contentDirectory } from "@bulwark/scan/shipped/places";

/** The rules that are shipped: the words they share (content/rules/*.yaml), then one folder each. */
export function shippedRules(): readonly { readonly name: string; readonly text: string }[] {
  const directory = join(contentDirectory, "rules");
  const entries = readdirSync(directory, { withFileTypes: true });
  const vocabularies = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(name, "rule.yaml"));
  return [...vocabularies.toSorted(), ...names.toSorted()].map((name) => ({
    name,
    text: readFileSync(join(directory, name), "utf8"),
  }));
}
