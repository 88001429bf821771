import { expect, test } from "vitest";
import { successorOf } from "./successor.ts";

/** The name of what supersedes a tag among others, each of an image of its own. */
function newer(name: string, ...others: readonly string[]) {
  const tags = [name, ...others].map((tag) => ({ name: tag, digest: `sha256:${tag}` }));
  const found = successorOf({ name, digest: `sha256:${name}` }, tags);
  if (found !== undefined) expect(found.how).toBe("newer");
  return found?.name;
}

test.each([
  ["the highest of the same major", "12.4", ["12.5", "12.10", "12.9", "13.0"], "12.10"],
  ["only with the same suffix", "12.4-slim", ["12.5", "12.5-slim", "12.6-alpine"], "12.5-slim"],
  ["only with the same prefix", "v1.2", ["1.9", "v1.3", "release-1.4"], "v1.3"],
  ["never latest", "1.2", ["latest"], undefined],
  ["nothing lower", "1.2.3", ["1.2", "1", "1.2.2", "1.2.3"], undefined],
  ["numbers by value, not by letter", "1.9", ["1.09", "1.010"], "1.010"],
  ["leading zeros make no other major", "08.1", ["8.2"], "8.2"],
  [
    "dates",
    "bookworm-20250101-slim",
    ["bookworm-20250201-slim", "trixie-20250301-slim", "bookworm-20250401"],
    "bookworm-20250201-slim",
  ],
  ["no pre-release", "1.2", ["1.3-rc1", "1.3-beta"], undefined],
  ["no tag without numbers", "stable", ["1.0", "edge"], undefined],
  [
    "numbers beyond those of the language",
    "1.99999999999999999998",
    ["1.99999999999999999999"],
    "1.99999999999999999999",
  ],
])("what supersedes an image by version: %s", (_what, current, others, expected) => {
  expect(newer(current, ...others)).toBe(expected);
});

test("an image whose tag has moved is superseded by what the tag names now", () => {
  const tags = [
    { name: "12", digest: "sha256:new" },
    { name: "12.9", digest: "sha256:newest" },
  ];
  expect(successorOf({ name: "12", digest: "sha256:old" }, tags)).toEqual({
    how: "moved",
    name: "12",
    digest: "sha256:new",
  });
  expect(successorOf({ name: "stable", digest: "a" }, [{ name: "stable", digest: "b" }])).toMatchObject({
    how: "moved",
  });
  expect(successorOf({ name: "latest", digest: "a" }, [{ name: "latest", digest: "b" }])).toBeUndefined();
});

test("a higher version that is the same image supersedes nothing", () => {
  expect(successorOf({ name: "1.2", digest: "a" }, [{ name: "1.3", digest: "a" }])).toBeUndefined();
});

test("an image whose tag is gone is superseded all the same", () => {
  expect(successorOf({ name: "1.2", digest: "a" }, [{ name: "1.3", digest: "b" }])).toMatchObject({
    how: "newer",
    name: "1.3",
  });
});
