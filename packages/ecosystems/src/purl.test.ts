import type { OperatingSystem, PackageFact } from "@bulwark/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { factOfPurl, osOfPurl, purlOf } from "./purl.ts";

const debian: OperatingSystem = {
  id: "debian",
  versionId: "12",
  name: "Debian GNU/Linux 12 (bookworm)",
  codename: "bookworm",
};
const bash: PackageFact = {
  type: "deb",
  namespace: "",
  name: "bash",
  version: "5.2.15-2+b7",
  source: { name: "bash", version: "5.2.15-2" },
  arch: "amd64",
  evidence: "installed",
};

function fact(type: PackageFact["type"], namespace: string, name: string, version = "1.0"): PackageFact {
  return { type, namespace, name, version, evidence: "installed" };
}

describe("package URLs", () => {
  test.each([
    [bash, debian, "pkg:deb/debian/bash@5.2.15-2%2Bb7?arch=amd64&distro=debian-12&upstream=bash%405.2.15-2"],
    [
      {
        ...fact("rpm", "", "perl-libs", "4:5.32.1-480.el9"),
        source: { name: "perl", version: "4:5.32.1-480.el9" },
        module: "perl:5.32",
      },
      { id: "rhel", versionId: "9.3", name: "" },
      "pkg:rpm/redhat/perl-libs@5.32.1-480.el9?distro=rhel-9.3&epoch=4&rpmmod=perl:5.32&upstream=perl%404:5.32.1-480.el9",
    ],
    [
      fact("apk", "", "musl", "1.2.4-r2"),
      { id: "wolfi", versionId: "20230201", name: "" },
      "pkg:apk/wolfi/musl@1.2.4-r2?distro=wolfi-20230201",
    ],
    [fact("npm", "@babel", "core", "7.0.0"), undefined, "pkg:npm/%40babel/core@7.0.0"],
    [
      fact("golang", "", "github.com/Masterminds/semver/v3", "v3.2.0"),
      undefined,
      "pkg:golang/github.com/Masterminds/semver/v3@v3.2.0",
    ],
    [fact("golang", "", "stdlib", "1.21.3"), debian, "pkg:golang/stdlib@1.21.3"],
    [
      fact("maven", "org.apache.logging.log4j", "log4j-core", "2.14.1"),
      undefined,
      "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
    ],
    [fact("pypi", "", "Ruamel_Yaml", "0.1"), undefined, "pkg:pypi/ruamel-yaml@0.1"],
    [fact("gem", "", "rails", ""), undefined, "pkg:gem/rails"],
  ])("%# is written as specified", (given, os, purl) => {
    expect(purlOf(given, os)).toBe(purl);
    expect(purlOf(factOfPurl(purl)!, osOfPurl(purl))).toBe(purl);
  });

  test("what matching needs comes back, whatever the strings", () => {
    const word = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
      .map((text) => text.replace(/[/\s]/g, "_"));
    const facts = fc.record({
      type: fc.constantFrom(
        "deb" as const,
        "apk" as const,
        "rpm" as const,
        "cargo" as const,
        "gem" as const,
        "golang" as const,
      ),
      namespace: fc.constant(""),
      name: word,
      version: word.map((text) => text.replace(/^[0-9]*:/, "v")),
      source: fc.record({ name: word, version: word.map((text) => text.replaceAll("@", "a")) }),
      arch: word,
      evidence: fc.constant("installed" as const),
    });
    fc.assert(
      fc.property(facts, (given) => {
        // A name of a source rpm's file is read as one, as other tools write it.
        fc.pre(!given.source.version.endsWith("src.rpm"));
        expect(factOfPurl(purlOf(given, debian))).toEqual(given);
      }),
    );
  });

  test("purls of other tools are understood", () => {
    expect(osOfPurl("pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=3.19.1")).toMatchObject({
      id: "alpine",
      versionId: "3.19.1",
    });
    expect(osOfPurl("pkg:deb/debian/zlib1g@1.2?distro=bookworm")).toMatchObject({
      id: "debian",
      versionId: "",
      codename: "bookworm",
    });
    expect(osOfPurl("pkg:rpm/opensuse/zypper@1?distro=opensuse-leap-15.5")).toMatchObject({
      id: "opensuse-leap",
      versionId: "15.5",
    });
    expect(osOfPurl("pkg:apk/chainguard/musl@1.2")).toMatchObject({ id: "chainguard" });
    expect(
      factOfPurl("pkg:rpm/redhat/openssl-libs@3.0.7-1.el9?epoch=1&upstream=openssl-3.0.7-1.el9.src.rpm"),
    ).toMatchObject({
      version: "1:3.0.7-1.el9",
      source: { name: "openssl", version: "1:3.0.7-1.el9" },
    });
    expect(factOfPurl("pkg:deb/ubuntu/libssl3@3.0.2-0ubuntu1?upstream=openssl")?.source).toEqual({
      name: "openssl",
      version: "3.0.2-0ubuntu1",
    });
    expect(factOfPurl("pkg:bitnami/nginx@1.25.3")?.type).toBe("generic");
  });

  test("openEuler's service pack survives, though only its name tells it", () => {
    const purl = purlOf(fact("rpm", "", "zlib"), {
      id: "openeuler",
      versionId: "22.03",
      name: "openEuler 22.03 (LTS-SP1)",
    });
    expect(osOfPurl(purl)?.versionId).toBe("22.03-LTS-SP1");
  });

  test.each([
    "",
    "pkg:",
    "pkg:npm",
    "pkg:npm/%ff",
    "pkg:npm/a@%",
    "npm/a@1",
    "pkg:docker/a@1",
    `pkg:npm/${"a".repeat(10_000)}`,
  ])("%j is no package", (purl) => {
    expect(factOfPurl(purl)).toBeUndefined();
    expect(osOfPurl(purl)).toBeUndefined();
  });

  test("OS packages without a distribution tell no operating system", () => {
    expect(osOfPurl("pkg:deb/debian/bash@5")).toBeUndefined();
    expect(osOfPurl("pkg:npm/a@1?distro=debian-12")).toBeUndefined();
  });

  test("no string makes reading a purl throw", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `pkg:deb/${text}`),
        ),
        (text) => {
          factOfPurl(text);
          osOfPurl(text);
        },
      ),
    );
    expect(purlOf(fact("npm", "", "\ud800"), undefined)).toBe("pkg:npm/%EF%BF%BD@1.0");
  });
});
