import { expect, test } from "vitest";
import { analyze, expectNoThrowOnDamage } from "../testing/analyze.ts";
import { nugetDeps, nugetLock } from "./nuget.ts";

const names = (facts: ReturnType<typeof analyze>) =>
  (facts.packages ?? []).map(({ name, version }) => `${name}@${version}`);

test("a dependency list gives the packages a program was built with", () => {
  const list = { libraries: { "App/1.0.0": { type: "project" }, "Newtonsoft.Json/12.0.1": { type: "package" } } };
  expect(names(analyze(nugetDeps, "app/App.deps.json", JSON.stringify(list)))).toEqual(["Newtonsoft.Json@12.0.1"]);
});

test("the runtime of a self-contained program is named as its advisories name it", () => {
  const list = { libraries: { "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": { type: "runtimepack" } } };
  expect(names(analyze(nugetDeps, "app/App.deps.json", JSON.stringify(list)))).toEqual([
    "Microsoft.NETCore.App.Runtime.linux-x64@8.0.1",
  ]);
});

test("a lock file gives what was resolved for every framework", () => {
  const lock = {
    version: 1,
    dependencies: {
      "net8.0": {
        "Newtonsoft.Json": { type: "Direct", requested: "[12.0.1, )", resolved: "12.0.1" },
        Other: { type: "Project" },
      },
      "net6.0": { "Newtonsoft.Json": { type: "Direct", resolved: "12.0.1" } },
    },
  };
  expect(names(analyze(nugetLock, "packages.lock.json", JSON.stringify(lock)))).toEqual(["Newtonsoft.Json@12.0.1"]);
  for (const analyzer of [nugetDeps, nugetLock]) {
    expect(analyze(analyzer, "x", "{").problems).toHaveLength(1);
    expectNoThrowOnDamage(analyzer, "x", new TextEncoder().encode(JSON.stringify(lock)), 100);
  }
});
