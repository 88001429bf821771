import fc from "fast-check";
import { expect, test } from "vitest";
import { compileGlob } from "./glob.ts";
import { contains, parseAddress, parseNetwork } from "./network.ts";
import { compileTextTest } from "./text-tests.ts";

test("a glob agrees with the regular expression it stands for", () => {
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", "/", "*", "?"), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (glob, subject) => {
      const source = [...glob].map((c) => (c === "*" ? ".*" : c === "?" ? "." : c)).join("");
      expect(compileGlob(glob, false)(subject)).toBe(new RegExp(`^${source}$`).test(subject));
    }),
    { numRuns: 3000 },
  );
});

test.each([
  ["[a-c]x", "bx", true],
  ["[!a-c]x", "bx", false],
  ["[^a-c]x", "dx", true],
  ["[]]", "]", true],
  ["[[:digit:]]*", "7up", true],
  ["[[:digit:]]*", "up", false],
  ["a\\*", "a*", true],
  ["a\\*", "ab", false],
  ["[a", "[a", true],
  ["/home/*/.ssh/*", "/home/x/y/.ssh/id", true],
  ["*.log", ".log", true],
  ["", "", true],
])("the glob %s on %s: %s", (glob, text, expected) => {
  expect(compileGlob(glob, false)(text)).toBe(expected);
});

test("a glob of many stars takes no longer than its length allows", () => {
  const start = performance.now();
  expect(compileGlob(`${"*a".repeat(50)}b`, false)("a".repeat(5000))).toBe(false);
  expect(performance.now() - start).toBeLessThan(1000);
});

test("a network holds exactly the addresses that share its bits", () => {
  const word = fc.integer({ min: 0, max: 255 });
  const four = fc.tuple(word, word, word, word);
  fc.assert(
    fc.property(four, four, fc.integer({ min: 0, max: 32 }), (a, b, bits) => {
      const number = (parts: readonly number[]) => parts.reduce((sum, part) => sum * 256 + part, 0);
      const network = parseNetwork(`${a.join(".")}/${bits}`);
      const address = parseAddress(b.join("."));
      const size = 2 ** (32 - bits);
      const expected = Math.floor(number(a) / size) === Math.floor(number(b) / size);
      expect(network !== undefined && address !== undefined && contains(network, address)).toBe(expected);
    }),
  );
});

test.each([
  "",
  "1.2.3",
  "1.2.3.4.5",
  "256.1.1.1",
  ":::",
  "1::2::3",
  "g::",
  "1.2.3.4/33",
  "::/129",
  "1.2.3.4/",
  "12345::",
])("%s is neither address nor network", (text) => {
  expect(parseNetwork(text)).toBeUndefined();
});

test("path prefixes are the same few or many, and end at a slash", () => {
  const few = ["/etc", "/var/log/", "/data/*/keep"];
  const many = [...few, ...Array.from({ length: 60 }, (_, index) => `/none/${index}`)];
  for (const prefixes of [few, many]) {
    const test = compileTextTest(
      "pmatch",
      prefixes.map((text) => ({ text, quoted: true })),
    );
    if (typeof test !== "function") throw new Error(test.message);
    expect(["/etc", "/etc/passwd", "/var/log", "/var/log/x", "/data/a/keep", "/data/a/keep/x"].every(test)).toBe(true);
    expect(["/etcetera", "/", "/var", "/data/keep", "/data/a/b/keep", ""].some(test)).toBe(false);
  }
});
