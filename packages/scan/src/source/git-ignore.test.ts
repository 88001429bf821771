import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { gitIgnore } from "./git-ignore.ts";

const FILES: readonly string[] = [
  ".env",
  "app/.env",
  "app/.env.example",
  "build/out.js",
  "src/build/out.js",
  "src/a.log",
  "src/keep.log",
  "src/deep/er/a.txt",
  "src/deep/er/b.txt",
  "logs/today/x",
  "logs/keep/y",
  "foo/x/bar/z",
  "foo/bar",
  "data1.bin",
  "data2.bin",
  "dataA.bin",
  "with space/a",
  "#hash",
  "!bang",
  "app/secret/k.pem",
  "app/secret/public.pem",
  "[x]",
];

const IGNORES: Readonly<Record<string, string>> = {
  "": [
    "# a comment",
    ".env",
    "/build",
    "*.log",
    "!keep.log",
    "src/deep/**",
    "logs/*",
    "!logs/keep/",
    "foo/**/bar",
    "data[0-9].bin",
    "with space/   ",
    "\\#hash",
    "\\!bang",
    "**/secret/*.pem",
    "\\[x\\]",
    "",
  ].join("\n"),
  app: "!.env\r\n!secret/public.pem\r\n",
};

test.skipIf(spawnSync("git", ["--version"]).status !== 0)("paths are ignored as git itself ignores them", () => {
  const folder = mkdtempSync(join(tmpdir(), "bulwark-ignore-"));
  try {
    execFileSync("git", ["init", "-q", folder]);
    for (const path of FILES) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), "x");
    }
    for (const [directory, text] of Object.entries(IGNORES))
      writeFileSync(join(folder, directory, ".gitignore"), text.replaceAll("\r", ""));
    const told = spawnSync("git", ["-C", folder, "check-ignore", "-z", "--stdin"], {
      input: FILES.join("\0"),
      encoding: "utf8",
    });
    const byGit = told.stdout.split("\0").filter((path) => path !== "");
    expect(byGit.length).toBeGreaterThan(8);
    expect(FILES.filter(gitIgnore(new Map(Object.entries(IGNORES))))).toEqual(byGit);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("hostile patterns on long names take no long time", () => {
  const ignored = gitIgnore(new Map([["", `${"*a".repeat(240)}b\n${"**/a/".repeat(90)}b\n`]]));
  const started = performance.now();
  expect(ignored(`${"a".repeat(250)}/`.repeat(15).slice(0, -1))).toBe(false);
  expect(performance.now() - started).toBeLessThan(1_000);
});
