import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { contentDirectory } from "@bulwark/scan/shipped/places";

/** The rules that are shipped: the words they share (content/rules/vocabulary.yaml), then one folder each. */
export function shippedRules(): readonly { readonly name: string; readonly text: string }[] {
  const directory = join(contentDirectory, "rules");
  const folders = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = folders.map(({ name }) => join(name, "rule.yaml")).toSorted();
  return ["vocabulary.yaml", ...names].map((name) => ({ name, text: readFileSync(join(directory, name), "utf8") }));
}
