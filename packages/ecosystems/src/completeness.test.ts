import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { analyzers } from "./analyzers.ts";
import { distributions } from "./distributions.ts";
import { languages } from "./languages.ts";

const NOT_ECOSYSTEMS = ["testing"];
const folders = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !NOT_ECOSYSTEMS.includes(entry.name))
  .map((entry) => entry.name);
const registrations = ["analyzers.ts", "languages.ts", "distributions.ts"]
  .map((file) => readFileSync(`${import.meta.dirname}/${file}`, "utf8"))
  .join("\n");

describe.each(folders)("the ecosystem %s", (folder) => {
  const files = readdirSync(`${import.meta.dirname}/${folder}`);

  test("has a README that links to its specification", () => {
    expect(readFileSync(`${import.meta.dirname}/${folder}/README.md`, "utf8")).toMatch(/https:\/\/\S+/);
  });

  test("has a test, and its version order and analyzer each have their own", () => {
    expect(files.some((file) => file.endsWith(".test.ts"))).toBe(true);
    for (const file of files.filter((name) => name === "version.ts" || name === `${folder}.ts`)) {
      expect(files).toContain(file.replace(/\.ts$/, ".test.ts"));
    }
  });

  test("is registered", () => {
    expect(registrations).toContain(`"./${folder}/`);
  });

  test("has no analyzer that nobody runs", () => {
    for (const file of files.filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))) {
      const source = readFileSync(`${import.meta.dirname}/${folder}/${file}`, "utf8");
      for (const [, name] of source.matchAll(/^export const (\w+): Analyzer\b/gm)) {
        expect(registrations).toMatch(new RegExp(`import \\{[^}]*\\b${name}\\b[^}]*\\} from "./${folder}/${file}"`));
      }
    }
  });
});

test("ids of analyzers, languages and distributions are unique", () => {
  for (const ids of [
    analyzers.map(({ id }) => id),
    languages.map(({ type }) => type),
    languages.map(({ osv }) => osv),
    distributions.flatMap((distribution) => distribution.ids),
  ]) {
    expect(ids).toEqual([...new Set(ids)]);
  }
});

test("every analyzer is declared as the contract asks", () => {
  for (const { id, version, wants, maxBytes = 0 } of analyzers) {
    expect(id).toMatch(/^[a-z][a-z0-9-]*$/);
    expect(version).toBeGreaterThanOrEqual(1);
    expect(wants.length).toBeGreaterThan(0);
    expect(maxBytes).toBeLessThanOrEqual(128 * 1024 * 1024);
    for (const want of wants) expect(want).toMatch(/^(?!\/)[^\s]+$/);
  }
});
