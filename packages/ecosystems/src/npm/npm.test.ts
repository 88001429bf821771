import { expect, test } from "vitest";
import { analyze, expectNoThrowOnDamage } from "../testing/analyze.ts";
import { npmInstalled } from "./npm-installed.ts";
import { npmLock } from "./npm-lock.ts";
import { pnpmLock } from "./pnpm-lock.ts";
import { yarnLock } from "./yarn-lock.ts";

const names = (facts: ReturnType<typeof analyze>) =>
  (facts.packages ?? []).map(({ namespace, name, version }) => `${namespace && `${namespace}/`}${name}@${version}`);

test("the manifest of an installed package names it", () => {
  const manifest = JSON.stringify({ name: "@babel/core", version: "7.0.0", license: "MIT" });
  expect(analyze(npmInstalled, "app/node_modules/@babel/core/package.json", manifest).packages).toEqual([
    { type: "npm", namespace: "@babel", name: "core", version: "7.0.0", evidence: "installed", licenses: ["MIT"] },
  ]);
});

test.each([
  ["{}"],
  ['{"name":"x"}'],
  ['{"name":"a b","version":"1"}'],
  ['{"name":{},"version":[]}'],
  ['{"__proto__":{"name":"x"}}'],
])("a manifest that names nothing usable is no package: %s", (manifest) => {
  expect(analyze(npmInstalled, "node_modules/x/package.json", manifest)).toEqual({ packages: [] });
});

test("a manifest that is not JSON is a problem", () => {
  expect(analyze(npmInstalled, "node_modules/x/package.json", '{"name":').problems).toEqual([
    "the manifest is not JSON",
  ]);
});

test("lock files of version 3 give every installed path, links and workspaces left out", () => {
  const lock = {
    lockfileVersion: 3,
    packages: {
      "": { name: "app", version: "1.0.0" },
      "node_modules/lodash": { version: "4.17.4" },
      "node_modules/a/node_modules/@s/b": { version: "2.0.0" },
      "node_modules/alias": { name: "real", version: "3.0.0" },
      "node_modules/linked": { link: true, resolved: "packages/linked" },
      "packages/linked": { version: "0.1.0" },
      "node_modules/__proto__": { version: "1.0.0" },
    },
  };
  const text = JSON.stringify(lock);
  expect(names(analyze(npmLock, "app/package-lock.json", text))).toEqual([
    "lodash@4.17.4",
    "@s/b@2.0.0",
    "real@3.0.0",
    "__proto__@1.0.0",
  ]);
  expect(names(analyze(npmLock, "app/node_modules/x/package-lock.json", text))).toEqual([]);
});

test("lock files of version 1 give the whole tree and see through aliases", () => {
  const lock = {
    dependencies: {
      a: { version: "1.0.0", dependencies: { b: { version: "2.0.0" } } },
      c: { version: "npm:@s/real@3.0.0" },
      d: { version: "git+ssh://example.org/d.git#abc" },
    },
  };
  expect(names(analyze(npmLock, "package-lock.json", JSON.stringify(lock)))).toEqual([
    "a@1.0.0",
    "b@2.0.0",
    "@s/real@3.0.0",
  ]);
});

test("Yarn 1 and later lock files give the same packages", () => {
  const first = `# yarn lockfile v1\n\n"@babel/core@^7.0.0", "@babel/core@^7.1.0":\n  version "7.1.0"\n  resolved "https://x"\n\nlodash@^4.17.4:\n  version "4.17.4"\n  dependencies:\n    version "9.9.9"\n\nal@npm:real@^1:\n  version "1.2.3"\n`;
  const later = `__metadata:\n  version: 8\n\n"@babel/core@npm:^7.0.0":\n  version: 7.1.0\n  resolution: "@babel/core@npm:7.1.0"\n\n"lodash@npm:^4.17.4":\n  version: 4.17.4\n  resolution: "lodash@npm:4.17.4"\n\n"al@npm:real@^1":\n  version: 1.2.3\n  resolution: "real@npm:1.2.3"\n\n"app@workspace:.":\n  version: 0.0.0-use.local\n  resolution: "app@workspace:."\n`;
  const expected = ["@babel/core@7.1.0", "lodash@4.17.4", "real@1.2.3"];
  expect(names(analyze(yarnLock, "yarn.lock", first))).toEqual(expected);
  expect(names(analyze(yarnLock, "yarn.lock", later))).toEqual(expected);
});

test("an entry that very many requirements share is no part of the one before it", () => {
  const many = Array.from({ length: 2_000 }, (_, index) => `long@^1.0.${index}`).join(", ");
  const lock = `short@^1:\n  version "1.0.0"\n\n${many}:\n  version "1.9.9"\n`;
  expect(names(analyze(yarnLock, "yarn.lock", lock))).toEqual(["short@1.0.0", "long@1.9.9"]);
});

test("pnpm lock files of all versions give the same packages", () => {
  const five =
    "lockfileVersion: 5.4\npackages:\n\n  /lodash/4.17.4:\n    resolution: {integrity: x}\n\n  /@babel/core/7.1.0_peer@1.0.0:\n    dev: true\n";
  const six =
    "lockfileVersion: '6.0'\npackages:\n\n  /lodash@4.17.4:\n    resolution: {integrity: x}\n\n  /@babel/core@7.1.0(peer@1.0.0):\n    dev: true\n";
  const nine =
    "lockfileVersion: '9.0'\nimporters:\n\n  .:\n    dependencies: {}\npackages:\n\n  lodash@4.17.4:\n    resolution: {integrity: x}\n\n  '@babel/core@7.1.0':\n    engines: {node: '>=6'}\nsnapshots:\n\n  other@1.0.0: {}\n";
  for (const lock of [five, six, nine]) {
    expect(names(analyze(pnpmLock, "pnpm-lock.yaml", lock))).toEqual(["lodash@4.17.4", "@babel/core@7.1.0"]);
  }
});

test("damaged lock files never throw", () => {
  const lock = new TextEncoder().encode(JSON.stringify({ packages: { "node_modules/a": { version: "1.0.0" } } }));
  const yarn = new TextEncoder().encode('a@^1:\n  version "1.0.0"\n');
  for (const analyzer of [npmLock, npmInstalled, pnpmLock]) expectNoThrowOnDamage(analyzer, "x", lock, 100);
  expectNoThrowOnDamage(yarnLock, "yarn.lock", yarn, 100);
  const deep = `{"dependencies":`.repeat(50_000);
  expect(analyze(npmLock, "package-lock.json", deep).problems).toHaveLength(1);
});
