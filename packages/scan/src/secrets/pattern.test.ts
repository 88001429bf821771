import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { anyPath, globPattern } from "./pattern.ts";
import { loadSecretRules } from "./shipped.ts";

const rules = await loadSecretRules(join(import.meta.dirname, "../../../../content/secrets"));
const shipped = rules.rules.flatMap(({ kind, paths }) => (kind === "file" ? paths : []));

it("tells of the shipped paths together what they tell alone", () => {
  expect(shipped.length).toBeGreaterThan(50);
  const any = anyPath(shipped);
  const alone = shipped.map(({ source, flags }) => new RegExp(source, flags));
  const part = fc.oneof(
    fc.constantFrom("opt", "app", "home", ".ssh", "etc", "secrets", ".git", "config", ".idea", ".kube", "x\ny"),
    fc.constantFrom(
      "master.key",
      "HEAD",
      "a.sql",
      "a.js.map",
      "core",
      "core.1",
      "authorized_keys",
      ".env",
      "go.mod",
      ".e",
    ),
    fc.string({ maxLength: 6 }),
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
      const path = parts.join("/");
      expect(any(path)).toBe(alone.some((one) => one.test(path)));
    }),
    { numRuns: 2_000 },
  );
});

it("leaves alternatives of the outermost level as they are", () => {
  const any = anyPath([{ source: "^(?:.*/)?a$|^b$", flags: "s" }, globPattern("**/{c,d}")]);
  expect(["a", "x/a", "b", "x/b", "x/d", "xd"].map(any)).toEqual([true, true, true, false, true, false]);
});

it("fits nothing without patterns", () => {
  expect(anyPath([])("a")).toBe(false);
});
