import { hash } from "node:crypto";
import { expect, test } from "vitest";
import { isRecorded } from "./vouching.ts";

const digests = ["md5", "sha1", "sha256"].map((name) => hash(name, "content").slice(0, 32)).join("");

test.each(["md5", "sha1", "sha256"])("a %s digest of the content is what was recorded", (name) => {
  expect(isRecorded(digests, `${name}:${hash(name, "content")}`)).toBe(true);
  expect(isRecorded(digests, `${name}:${hash(name, "other")}`)).toBe(false);
});

test("a digest that is cut short, empty or of an unknown algorithm agrees with nothing", () => {
  for (const recorded of ["md5:", `md5:${hash("md5", "content").slice(0, 31)}`, "crc32:", "", ":", "sha256:"])
    expect([recorded, isRecorded(digests, recorded)]).toEqual([recorded, false]);
});
