import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { namedFiles } from "./content-files.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-rules-"));
afterAll(() => rmSync(folder, { recursive: true }));
const read = (path: string) => namedFiles([path], [".yar"], "YARA rules");

test("a folder stands for the files below it with the wanted ending", () => {
  mkdirSync(join(folder, "good/deep"), { recursive: true });
  for (const name of ["good/b.yar", "good/deep/a.yar", "good/c.txt"]) writeFileSync(join(folder, name), name);
  expect(read(join(folder, "good"))).toEqual([
    { name: "b.yar", text: "good/b.yar" },
    { name: "deep/a.yar", text: "good/deep/a.yar" },
  ]);
});

test("files without end are read up to a bound, and pipes in a folder are not waited for", () => {
  expect(() => read("/dev/zero")).toThrow(/more than/);
  mkdirSync(join(folder, "pipe"));
  execFileSync("mkfifo", [join(folder, "pipe/a.yar")]);
  expect(() => read(join(folder, "pipe"))).toThrow(/no regular file/);
});

test("a folder is bounded too", () => {
  mkdirSync(join(folder, "large"));
  for (const name of ["a", "b", "c", "d", "e"]) {
    writeFileSync(join(folder, `large/${name}.yar`), "");
    truncateSync(join(folder, `large/${name}.yar`), 32 * 1024 * 1024);
  }
  expect(() => read(join(folder, "large"))).toThrow(/more than 134217728 bytes/);
});
