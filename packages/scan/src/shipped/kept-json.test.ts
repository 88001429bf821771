import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keptJson } from "./kept-json.ts";

let cache = "";
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "bulwark-kept-"));
  vi.stubEnv("BULWARK_CACHE_DIR", cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});
const file = () => join(cache, "rules-1.json");

test("a value is made once, for its owner only to read, and takes the place of an older one", () => {
  expect(keptJson("rules-0", () => ["old"])).toEqual(["old"]);
  expect(keptJson("rules-1", () => ["new"])).toEqual(["new"]);
  expect(keptJson("rules-1", () => ["again"])).toEqual(["new"]);
  expect(readdirSync(cache)).toEqual(["rules-1.json"]);
  expect(statSync(file()).mode & 0o077).toBe(0);
});

test("a value that others could have written is not believed", () => {
  writeFileSync(file(), JSON.stringify(["planted"]));
  chmodSync(file(), 0o666);
  expect(keptJson("rules-1", () => ["made"])).toEqual(["made"]);
  expect(keptJson("rules-1", () => ["again"])).toEqual(["made"]);
});

test("no link that waits in the directory is written through", () => {
  const victim = join(cache, "victim");
  writeFileSync(victim, "mine");
  symlinkSync(victim, `${file()}.${process.pid}`);
  writeFileSync(file(), "cut sho");
  keptJson("rules-1", () => ["made"]);
  expect(readFileSync(victim, "utf8")).toBe("mine");
  expect(keptJson("rules-1", () => ["again"])).toEqual(["made"]);
});
