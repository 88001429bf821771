import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatReference, parseReference } from "./reference.ts";

const DIGEST = `sha256:${"ab".repeat(32)}`;

describe("references are completed as Docker does it", () => {
  test.each([
    ["debian", "docker.io/library/debian:latest"],
    ["debian:12", "docker.io/library/debian:12"],
    ["team/app", "docker.io/team/app:latest"],
    ["docker.io/debian:12", "docker.io/library/debian:12"],
    ["index.docker.io/a/b:1", "docker.io/a/b:1"],
    ["localhost/a:1", "localhost/a:1"],
    ["host:5000/a/b", "host:5000/a/b:latest"],
    ["example.com/a/b/c:v1.2", "example.com/a/b/c:v1.2"],
    [`x:1@${DIGEST}`, `docker.io/library/x:1@${DIGEST}`],
    [`host:5000/x@${DIGEST}`, `host:5000/x@${DIGEST}`],
    ["[::1]:5000/x:1", "[::1]:5000/x:1"],
    ["http://registry/a/b:t", "registry/a/b:t"],
    ["https://example.com/a:t", "example.com/a:t"],
  ])("%s is %s", (text, full) => {
    expect(formatReference(parseReference(text))).toBe(full);
  });

  test("a registry is the same in capitals", () => {
    expect(parseReference("Registry.Example:5000/team/app:V1")).toMatchObject({
      registry: "registry.example:5000",
      tag: "V1",
    });
    expect(parseReference("Docker.IO/nginx")).toEqual(parseReference("nginx"));
  });

  test("plain HTTP is only what http:// asks for", () => {
    expect(parseReference("http://localhost:5000/a").plainHttp).toBe(true);
    expect(parseReference("localhost:5000/a").plainHttp).toBe(false);
  });
});

test.each([
  "",
  "Debian",
  "a//b",
  "a/../b",
  "a:",
  "a:b/c:d",
  "a@sha256:abc",
  `a@sha512:${"a".repeat(64)}`,
  "user:secret@host/a",
  "host:5000/",
  "a b",
  "-a",
  "x".repeat(300),
  "a\nb",
  "host:port/a",
  "http://",
])("%j is no reference", (text) => {
  expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: "REFERENCE_INVALID" }));
});

test("a full reference reads back as itself, and nothing hangs or throws anything else", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9./:@_-]{1,60}$/)), (text) => {
      try {
        const full = formatReference(parseReference(text));
        expect(formatReference(parseReference(full))).toBe(full);
      } catch (error) {
        expect(error).toMatchObject({ code: "REFERENCE_INVALID" });
      }
    }),
    { numRuns: 2_000 },
  );
  expect(() => parseReference(`${"a-".repeat(400)}!`)).toThrow();
});
