import fc from "fast-check";
import { expect, test } from "vitest";
import { matchesGlob } from "./glob.ts";

test("a glob agrees with the regular expression it stands for", () => {
  const alphabet = fc.string({ unit: fc.constantFrom("a", "b", "/", "*", "?"), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 8 });
  fc.assert(
    fc.property(alphabet, text, (pattern, subject) => {
      const source = [...pattern].map((c) => (c === "*" ? ".*" : c === "?" ? "." : c)).join("");
      expect(matchesGlob(pattern, subject)).toBe(new RegExp(`^${source}$`).test(subject));
    }),
    { numRuns: 2000 },
  );
});
