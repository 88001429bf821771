import { type Analyzer, type Fields, type FileFacts, fieldsOf, textOf } from "@bulwark/model";
import { isInsidePackage } from "../installed-place.ts";
import { jsonOf } from "../json.ts";
import { type FactList, factList } from "../language-facts.ts";
import { splitNpmName } from "./name.ts";

const MAX_DEPTH = 64;
const MODULES = "node_modules/";

/** `package-lock.json` and `npm-shrinkwrap.json`, lock file versions 1 to 3. */
export const npmLock: Analyzer = {
  id: "npm-lock",
  version: 2,
  wants: ["**/package-lock.json", "**/npm-shrinkwrap.json"],
  read: ({ path, bytes }) => (isInsidePackage(path) ? {} : readLock(bytes)), // a package's own lock file locks nothing
};

function readLock(bytes: Uint8Array): FileFacts {
  const document = jsonOf(bytes);
  if (document === undefined) return { problems: ["the lock file is not JSON"] };
  const lock = fieldsOf(document);
  const list = factList("npm", "locked");
  if (lock.packages !== undefined) addPackages(fieldsOf(lock.packages), list);
  else addDependencies(fieldsOf(lock.dependencies), list, 0);
  return list.facts();
}

/** Versions 2 and 3: every installed path with what lies there. */
function addPackages(packages: Fields, list: FactList): void {
  for (const [path, value] of Object.entries(packages)) {
    const at = path.lastIndexOf(MODULES);
    const entry = fieldsOf(value);
    if (at < 0 || entry.link === true) continue;
    list.add(...splitNpmName(textOf(entry.name) || path.slice(at + MODULES.length)), textOf(entry.version));
  }
}

/** Version 1: a tree of dependencies. */
function addDependencies(dependencies: Fields, list: FactList, depth: number): void {
  for (const [name, value] of Object.entries(dependencies)) {
    const entry = fieldsOf(value);
    const alias = /^npm:(@?[^@]+)@(.+)$/.exec(textOf(entry.version));
    const [full, version] = alias === null ? [name, textOf(entry.version)] : [alias[1] ?? "", alias[2] ?? ""];
    if (/^\d/.test(version)) list.add(...splitNpmName(full), version);
    if (depth < MAX_DEPTH) addDependencies(fieldsOf(entry.dependencies), list, depth + 1);
  }
}
