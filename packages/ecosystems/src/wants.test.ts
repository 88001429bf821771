import type { Analyzer } from "@bulwark/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileWants, executableAnalyzers } from "./wants.ts";

function wanting(id: string, ...wants: string[]): Analyzer {
  return { id, version: 1, wants, read: () => ({}) };
}

const GLOBS = [
  "var/lib/dpkg/status",
  "var/lib/dpkg/info/*.list",
  "var/lib/dpkg/status.d/*",
  "**/package.json",
  "**/node_modules/**/package.json",
  "**/*.dist-info/METADATA",
  "**/*.jar",
  "**/lib-*.so.*",
  "opt/**",
];
const ALL = GLOBS.map((glob) => wanting(glob, glob));
const wantedBy = compileWants(ALL);
const idsOf = (path: string) => wantedBy(path).map(({ id }) => id);

/** The slow reference: part by part, trying every length for a double star. */
function matchesSlowly(glob: readonly string[], path: readonly string[]): boolean {
  const [first, ...rest] = glob;
  if (first === undefined) return path.length === 0;
  if (first !== "**") return path.length > 0 && partMatches(first, path[0]!) && matchesSlowly(rest, path.slice(1));
  if (rest.length === 0) return path.length > 0;
  return path.some((_, index) => matchesSlowly(rest, path.slice(index)));
}

function partMatches(glob: string, part: string): boolean {
  if (glob === "") return part === "";
  if (glob[0] === "*") return partMatches(glob.slice(1), part) || (part !== "" && partMatches(glob, part.slice(1)));
  return glob[0] === part[0] && partMatches(glob.slice(1), part.slice(1));
}

describe("who wants a path", () => {
  test.each([
    ["var/lib/dpkg/status", ["var/lib/dpkg/status"]],
    ["x/var/lib/dpkg/status", []],
    ["var/lib/dpkg/info/a:amd64.list", ["var/lib/dpkg/info/*.list"]],
    ["var/lib/dpkg/info/deep/a.list", []],
    ["var/lib/dpkg/status.d/base", ["var/lib/dpkg/status.d/*"]],
    ["package.json", ["**/package.json"]],
    ["a/node_modules/b/package.json", ["**/package.json", "**/node_modules/**/package.json"]],
    ["node_modules/package.json", ["**/package.json", "**/node_modules/**/package.json"]],
    ["usr/x.dist-info/METADATA", ["**/*.dist-info/METADATA"]],
    ["a.jar", ["**/*.jar"]],
    ["a.jar/b", []],
    ["usr/lib/lib-a.so.1", ["**/lib-*.so.*"]],
    ["opt/a/b", ["opt/**"]],
    ["opt", []],
    ["", []],
    [`opt/${"a/".repeat(5_000)}`, []],
  ])("%s", (path, ids) => {
    expect(idsOf(path)).toEqual(ids);
  });

  test("agrees with a slow reference on any path", () => {
    const part = fc.constantFrom(
      "var",
      "lib",
      "dpkg",
      "info",
      "status",
      "status.d",
      "a.list",
      "node_modules",
      "package.json",
      "x.dist-info",
      "METADATA",
      "a.jar",
      "opt",
      "lib-x.so.1",
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const expected = GLOBS.filter((glob) => matchesSlowly(glob.split("/"), parts));
        expect(idsOf(parts.join("/"))).toEqual(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test("an analyzer that wants a path twice is asked once", () => {
    const twice = wanting("twice", "a/b", "**/b", "a/*");
    expect(compileWants([twice])("a/b")).toEqual([twice]);
  });

  test("executables are wanted by content, not by a path of that name", () => {
    const elf = wanting("elf", "executable");
    expect(executableAnalyzers([elf, ...ALL])).toEqual([elf]);
    expect(compileWants([elf])("executable")).toEqual([]);
  });

  test("a hostile path of nested matches is answered at once", () => {
    const startedAt = performance.now();
    for (let round = 0; round < 50; round++) idsOf(`${"node_modules/".repeat(310)}package.jso/package.json`);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
