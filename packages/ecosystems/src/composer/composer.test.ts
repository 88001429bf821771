import { expect, test } from "vitest";
import { analyze, expectNoThrowOnDamage } from "../testing/analyze.ts";
import { composerInstalled, composerLock } from "./composer.ts";

const entry = { name: "phpunit/phpunit", version: "5.6.2", license: ["BSD-3-Clause"] };
const expected = {
  type: "composer",
  namespace: "phpunit",
  name: "phpunit",
  version: "5.6.2",
  licenses: ["BSD-3-Clause"],
};

test("the list of installed packages is read in both forms", () => {
  for (const document of [[entry], { packages: [entry] }]) {
    const { packages } = analyze(composerInstalled, "app/vendor/composer/installed.json", JSON.stringify(document));
    expect(packages).toEqual([{ ...expected, evidence: "installed" }]);
  }
});

test("composer.lock gives packages for use and for development", () => {
  const lock = { packages: [entry], "packages-dev": [{ name: "a/b", version: "v1.0.0" }, { name: "broken" }, 7] };
  const { packages = [] } = analyze(composerLock, "composer.lock", JSON.stringify(lock));
  expect(packages.map(({ namespace, name, version }) => `${namespace}/${name}@${version}`)).toEqual([
    "phpunit/phpunit@5.6.2",
    "a/b@v1.0.0",
  ]);
  expect(analyze(composerLock, "composer.lock", "{").problems).toHaveLength(1);
  expectNoThrowOnDamage(composerLock, "x", new TextEncoder().encode(JSON.stringify(lock)), 100);
});
