import fc from "fast-check";
import { expect, test } from "vitest";
import { pathListWriter, readPathList } from "./path-list.ts";

test("a path list gives back what was put in, in order, across blocks", () => {
  const path = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).filter((text) => !text.includes("\0"));
  fc.assert(
    fc.property(fc.array(path, { maxLength: 50 }), (paths) => {
      const writer = pathListWriter();
      for (const each of paths) writer.add(each);
      expect([...readPathList(writer.finish())]).toEqual(paths);
    }),
  );
  const writer = pathListWriter();
  const many = Array.from({ length: 120_000 }, (_, index) => `usr/share/doc/package-${index}/changelog.gz`);
  for (const each of many) writer.add(each);
  const list = writer.finish();
  expect([...readPathList(list)]).toEqual(many);
  expect(list.length).toBeLessThan(many.join().length / 5);
});

test("an empty list is empty", () => {
  expect([...readPathList(pathListWriter().finish())]).toEqual([]);
});

test("a string with a NUL, or one too long for any path, stays one string of the list", () => {
  const writer = pathListWriter();
  for (const each of ["var/db\0", "2", "usr/bin/a\x001e300\0b", "x".repeat(8_000_000), "last"]) writer.add(each);
  const read = [...readPathList(writer.finish())];
  expect(read).toHaveLength(5);
  expect(read.slice(0, 3)).toEqual(["var/db\ufffd", "2", "usr/bin/a\ufffd1e300\ufffdb"]);
  expect(read.at(-1)).toBe("last");
});
