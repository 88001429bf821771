import { expect, test } from "vitest";
import { cargoLock } from "./cargo/cargo-lock.ts";
import { composerLock } from "./composer/composer.ts";
import { gemLock } from "./gem/gem.ts";
import { goMod } from "./golang/go-mod.ts";
import { npmLock } from "./npm/npm-lock.ts";
import { pnpmLock } from "./npm/pnpm-lock.ts";
import { yarnLock } from "./npm/yarn-lock.ts";
import { pipfileLock, pythonLock, requirements } from "./pypi/python-lock.ts";
import { analyze } from "./testing/analyze.ts";

const TOML = '[[package]]\nname = "a"\nversion = "1.0.0"\nsource = "registry"\n';
const NPM = JSON.stringify({ packages: { "node_modules/a": { version: "1.0.0" } } });
const COMPOSER = JSON.stringify({ packages: [{ name: "v/a", version: "1.0.0" }] });

test.each([
  [npmLock, "usr/lib/python3/dist-packages/notebook/package-lock.json", NPM],
  [yarnLock, "opt/venv/lib/python3.12/site-packages/jupyterlab/staging/yarn.lock", 'a@^1:\n  version "1.0.0"\n'],
  [pnpmLock, "app/node_modules/x/pnpm-lock.yaml", "packages:\n  a@1.0.0:\n"],
  [pythonLock, "root/.cargo/registry/src/index-1/x-1.0.0/poetry.lock", TOML],
  [pipfileLock, "usr/lib/python3/dist-packages/x/Pipfile.lock", '{"default":{"a":{"version":"==1.0.0"}}}'],
  [requirements, "usr/lib/python3/dist-packages/x/requirements.txt", "a==1.0.0\n"],
  [gemLock, "usr/local/bundle/gems/rest-client-2.1.0/Gemfile.lock", "GEM\n  specs:\n    a (1.0.0)\n"],
  [cargoLock, "usr/local/cargo/registry/src/index-1/serde-1.0.0/Cargo.lock", TOML],
  [composerLock, "app/vendor/symfony/yaml/composer.lock", COMPOSER],
  [goMod, "root/go/pkg/mod/x@v1.0.0/go.mod", "require a v1.0.0\n"],
])("$id says nothing inside an installed package, and all elsewhere", (analyzer, path, text) => {
  expect(analyze(analyzer, path, text).packages ?? []).toEqual([]);
  const own = `srv/gems/app/${path.slice(path.lastIndexOf("/") + 1)}`;
  expect(analyze(analyzer, own, text).packages).toHaveLength(1);
});
