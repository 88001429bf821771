import type { Analyzer } from "@bulwark/model";
import { apk } from "./apk/apk.ts";
import { cargoAuditable } from "./cargo/cargo-auditable.ts";
import { cargoLock } from "./cargo/cargo-lock.ts";
import { composerInstalled, composerLock } from "./composer/composer.ts";
import { dpkg } from "./dpkg/dpkg.ts";
import { gemInstalled, gemLock } from "./gem/gem.ts";
import { goBinary } from "./golang/go-binary.ts";
import { goMod } from "./golang/go-mod.ts";
import { jar } from "./maven/jar.ts";
import { npmInstalled } from "./npm/npm-installed.ts";
import { npmLock } from "./npm/npm-lock.ts";
import { pnpmLock } from "./npm/pnpm-lock.ts";
import { yarnLock } from "./npm/yarn-lock.ts";
import { nugetDeps, nugetLock } from "./nuget/nuget.ts";
import { osRelease } from "./os-release/os-release.ts";
import { pythonInstalled } from "./pypi/python-installed.ts";
import { pipfileLock, pythonLock, requirements } from "./pypi/python-lock.ts";
import { rpm } from "./rpm/rpm.ts";
import { javaRelease } from "./runtime/java-release.ts";
import { runtime } from "./runtime/runtime.ts";

/** Every analyzer there is. A new one is its file, its test, and one line here. */
export const analyzers: readonly Analyzer[] = [
  osRelease,
  dpkg,
  apk,
  rpm,
  npmInstalled,
  npmLock,
  yarnLock,
  pnpmLock,
  pythonInstalled,
  pythonLock,
  pipfileLock,
  requirements,
  jar,
  goBinary,
  goMod,
  cargoAuditable,
  cargoLock,
  gemInstalled,
  gemLock,
  composerInstalled,
  composerLock,
  nugetDeps,
  nugetLock,
  runtime,
  javaRelease,
];
