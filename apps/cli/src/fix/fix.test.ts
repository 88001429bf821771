import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { addUpgrade } from "./fix-dockerfile.ts";
import { upgradesOf } from "./upgrades.ts";

const directory = mkdtempSync(join(tmpdir(), "bulwark-fix-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const finding = (name: string, more: object = {}) =>
  ({
    kind: "vulnerability",
    id: "CVE-2026-0001",
    severity: "high",
    title: "",
    package: { purl: `pkg:deb/debian/${name}@1.0?arch=amd64`, name, version: "1.0" },
    fixedVersion: "1.1",
    layer: 1,
    origin: "own",
    advice: "",
    ...more,
  }) as const;

test("packages of own layers that have a fix are upgraded, by the names of their binaries", () => {
  const findings = [
    finding("openssl", { evidence: { foundBy: "advisory", version: "1", packages: ["libssl3", "openssl"] } }),
    finding("zlib", { origin: "base" }),
    finding("perl", { fixedVersion: "" }),
  ];
  expect(upgradesOf({ findings }, false)?.packages).toEqual(["libssl3", "openssl"]);
  expect(upgradesOf({ findings }, true)?.packages).toEqual(["libssl3", "openssl", "zlib"]);
  expect(upgradesOf({ findings: [findings[1]!, findings[2]!] }, false)).toBeUndefined();
});

test("a package whose name would be a command never reaches a shell", () => {
  const findings = [
    finding("x", { evidence: { foundBy: "a", version: "1", packages: ["a; curl evil", "$(id)", "-o"] } }),
  ];
  expect(upgradesOf({ findings }, false)).toBeUndefined();
});

const DOCKERFILE = `FROM golang:1.24 AS build
RUN apt-get update && apt-get install -y make
FROM debian:12
USER app
RUN apt-get update \\
    # a comment within
    && apt-get install -y curl
COPY --from=build /x /x
CMD ["/x"]
`;

test("the upgrade comes after the last installation of the last stage, as root, and the user is who he was", () => {
  expect(addUpgrade(DOCKERFILE, "apk upgrade --no-cache a && true")?.text).toBe(
    DOCKERFILE.replace("curl\n", "curl\nUSER root\nRUN apk upgrade --no-cache a \\\n    && true\nUSER app\n"),
  );
  expect(addUpgrade("FROM debian:12\nCMD x", "true")?.text).toBe("FROM debian:12\nRUN true\nCMD x");
  expect(addUpgrade("# nothing\n", "true")).toBeUndefined();
});

test("the difference is one that git applies", () => {
  const change = addUpgrade(DOCKERFILE, "apk upgrade --no-cache a");
  writeFileSync(join(directory, "Dockerfile"), DOCKERFILE);
  const patch = `--- a/Dockerfile\n+++ b/Dockerfile\n${change?.diff.join("\n")}\n`;
  execFileSync("git", ["apply", "-"], { cwd: directory, input: patch });
  expect(readFileSync(join(directory, "Dockerfile"), "utf8")).toBe(change?.text);
});
