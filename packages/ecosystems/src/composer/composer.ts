import { type Analyzer, type Fields, type FileFacts, fieldsOf, listOf, textOf } from "@bulwark/model";
import { isInsidePackage } from "../installed-place.ts";
import { jsonOf } from "../json.ts";
import { type FactList, factList } from "../language-facts.ts";

/** Where Composer puts packages: `vendor/` and their two names. */
const INSTALLED = /(?:^|\/)vendor\/[^/]+\/[^/]+\/composer\.lock$/;

/** Installed packages: `vendor/composer/installed.json`, a list (Composer 1) or an object (Composer 2). */
export const composerInstalled: Analyzer = {
  id: "composer-installed",
  version: 1,
  wants: ["**/composer/installed.json"],
  read: ({ bytes }) =>
    readPackages(bytes, "installed", (document) =>
      Array.isArray(document) ? document : listOf(fieldsOf(document).packages),
    ),
};

/** `composer.lock`. */
export const composerLock: Analyzer = {
  id: "composer-lock",
  version: 2,
  wants: ["**/composer.lock"],
  read: ({ path, bytes }) =>
    isInsidePackage(path) || INSTALLED.test(path)
      ? {}
      : readPackages(bytes, "locked", (document) => {
          const { packages, "packages-dev": development } = fieldsOf(document);
          return [...listOf(packages), ...listOf(development)];
        }),
};

function readPackages(
  bytes: Uint8Array,
  evidence: "installed" | "locked",
  listed: (document: unknown) => readonly unknown[],
): FileFacts {
  const document = jsonOf(bytes);
  if (document === undefined) return { problems: ["the package list is not JSON"] };
  const list = factList("composer", evidence);
  for (const entry of listed(document).map(fieldsOf)) addPackage(entry, list);
  return list.facts();
}

function addPackage(entry: Fields, list: FactList): void {
  const [vendor = "", name = ""] = textOf(entry.name).split("/", 2);
  const licenses = listOf(entry.license)
    .map(textOf)
    .filter((license) => license !== "");
  list.add(vendor, name, textOf(entry.version), licenses.length === 0 ? {} : { licenses });
}
