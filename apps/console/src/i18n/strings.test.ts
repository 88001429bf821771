import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { en, type Key } from "./en.ts";
import { fill } from "./fill.ts";
import { zh } from "./zh.ts";

const SOURCES = join(import.meta.dirname, "..");
const KEYS = Object.keys(en) as Key[];
/** Names and signs that are the same in every language. */
const SAME: readonly Key[] = ["product", "none", "language.en", "language.zh", "findings.cvss", "findings.epss"];

const sources = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.tsx?$/.test(file) && !/\.test\.ts$|^testing|^i18n\/(en|zh)(-[a-z-]+)?\.ts$|\/gen\//.test(file))
  .map((file) => readFileSync(join(SOURCES, file), "utf8"))
  .join("\n");

test("every string is there in Chinese, with another text, and in Chinese characters", () => {
  expect(Object.keys(zh).sort()).toEqual([...KEYS].sort());
  const untranslated = KEYS.filter(
    (key) => !SAME.includes(key) && (zh[key] === en[key] || !/\p{Script=Han}/u.test(zh[key])),
  );
  const plain = untranslated.filter((key) => !/^[{}\w\s/,·→–%]*$/.test(zh[key]));
  expect(plain).toEqual([]);
});

test("both languages take the same values", () => {
  const names = (text: string) => [...new Set([...text.matchAll(/\{(\w+)/g)].map(([, name]) => name))].sort();
  expect(KEYS.filter((key) => names(en[key]).join() !== names(zh[key]).join())).toEqual([]);
});

test("every string is used: by its key, or by a group that the server's values complete", () => {
  const unused = KEYS.filter((key) => {
    // Groups may have points of their own, and so may what the server names: `request.omitted`, `risk.opened`.
    const groups = [...key.matchAll(/\./g)].map(({ index }) => key.slice(0, index));
    const isOf = (group: string) => sources.includes(`\`${group}.\${`) || sources.includes(`nameOf("${group}"`);
    return !sources.includes(`"${key}"`) && !groups.some(isOf);
  });
  // Errors are found by the code that the server sends (components/explain.ts).
  expect(unused.filter((key) => !key.startsWith("problem."))).toEqual([]);
});

test("values are put in as the language writes them", () => {
  expect(fill("{n} {n:image|images}", { n: 1 }, "en")).toBe("1 image");
  expect(fill("{n} {n:image|images}", { n: 12_000 }, "en")).toBe("12,000 images");
  expect(fill("{who} said {unknown}", { who: "{n}" }, "en")).toBe("{n} said {unknown}");
});
