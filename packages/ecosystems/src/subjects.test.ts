import type { OperatingSystem, PackageFact } from "@bulwark/model";
import { describe, expect, test } from "vitest";
import { catalog } from "./catalog.ts";
import { factOfPurl, osOfPurl, purlOf } from "./purl.ts";
import { subjectsOf } from "./subjects.ts";

function os(id: string, versionId: string, more: Partial<OperatingSystem> = {}): OperatingSystem {
  return { id, versionId, name: `${id} ${versionId}`, ...more };
}

function osPackage(type: "deb" | "apk" | "rpm", more: Partial<PackageFact> = {}): PackageFact {
  return {
    type,
    namespace: "",
    name: "libssl3",
    version: "1:3.0-1.b",
    source: { name: "openssl", version: "1:3.0-1" },
    evidence: "installed",
    ...more,
  };
}

const SOURCE = { name: "openssl", version: "1:3.0-1" };
const BINARY = { name: "libssl3", version: "1:3.0-1.b" };

describe("subjects of advisories", () => {
  test.each([
    ["deb", os("debian", "12"), "Debian:12", SOURCE],
    ["deb", os("debian", "12.5"), "Debian:12", SOURCE],
    ["deb", os("debian", "6.0"), "Debian:6.0", SOURCE],
    ["deb", os("debian", "", { codename: "trixie" }), "Debian:13", SOURCE],
    ["deb", os("ubuntu", "22.04"), "Ubuntu:22.04", SOURCE],
    ["apk", os("alpine", "3.19.1"), "Alpine:v3.19", SOURCE],
    ["rpm", os("rhel", "9.3"), "Red Hat:9", BINARY],
    ["rpm", os("centos", "7"), "Red Hat:7", BINARY],
    ["rpm", os("rocky", "9.3"), "Rocky Linux:9", SOURCE],
    ["rpm", os("almalinux", "8.10"), "AlmaLinux:8", BINARY],
    ["rpm", os("ol", "8.9"), "Oracle Linux:8", BINARY],
    ["rpm", os("amzn", "2023"), "Amazon Linux:2023", BINARY],
    ["rpm", os("amzn", "2018.03"), "Amazon Linux:1", BINARY],
    ["rpm", os("fedora", "40"), "Fedora:40", BINARY],
    ["rpm", os("opensuse-leap", "15.5"), "openSUSE:Leap 15.5", SOURCE],
    ["rpm", os("opensuse-tumbleweed", "20240101"), "openSUSE:Tumbleweed", SOURCE],
    [
      "rpm",
      os("openeuler", "22.03", { name: "openEuler 22.03 (LTS-SP1)" }),
      "openEuler:22.03-LTS-SP1",
      { name: "openssl", version: "3.0-1" },
    ],
    ["rpm", os("tencentos", "3.1"), "TencentOS:3", BINARY],
    ["rpm", os("anolis", "8.8"), "Anolis:8", BINARY],
    ["rpm", os("photon", "5.0"), "Photon OS:5", SOURCE],
    ["rpm", os("mariner", "2.0.20240101"), "Azure Linux:2", { name: "openssl", version: "3.0-1" }],
  ] as const)("a %s package of %o", (type, system, ecosystem, named) => {
    expect(subjectsOf(osPackage(type), system)).toEqual([{ ecosystem, ...named }]);
    expect(catalog.normalizeEcosystem(ecosystem)).toBe(ecosystem);
    expect(catalog.schemeOf(ecosystem)?.parse(type === "apk" ? "3.0.1-r0" : named.version)).toBeDefined();
  });

  test("Wolfi and Chainguard name origins and sub-packages, so both are asked for", () => {
    for (const [id, ecosystem] of [
      ["wolfi", "Wolfi"],
      ["chainguard", "Chainguard"],
    ] as const) {
      expect(subjectsOf(osPackage("apk"), os(id, "20230201"))).toEqual([
        { ecosystem, ...BINARY },
        { ecosystem, ...SOURCE },
      ]);
    }
  });

  test("a SUSE server is every product that ships its packages, modules among them", () => {
    const subjects = subjectsOf(osPackage("rpm"), os("sles", "15.5"));
    const ecosystems = "undetermined" in subjects ? [] : subjects.map(({ ecosystem }) => ecosystem);
    expect(ecosystems).toContain("SUSE:Linux Enterprise Server 15 SP5");
    expect(ecosystems).toContain("SUSE:Linux Enterprise Module for Basesystem 15 SP5");
    expect(ecosystems).toContain("SUSE:Linux Enterprise Server 15 SP5-LTSS");
    expect(subjectsOf(osPackage("rpm"), os("sles", "15"))).toContainEqual({
      ecosystem: "SUSE:Linux Enterprise Server 15",
      ...SOURCE,
    });
  });

  test.each([
    ["deb", os("debian", "12")],
    ["deb", os("debian", "", { codename: "trixie" })],
    ["deb", os("ubuntu", "24.04")],
    ["apk", os("alpine", "3.19.1")],
    ["apk", os("wolfi", "20230201")],
    ["apk", os("chainguard", "")],
    ["rpm", os("rhel", "9.3")],
    ["rpm", os("centos", "8")],
    ["rpm", os("rocky", "9.3")],
    ["rpm", os("ol", "8.9")],
    ["rpm", os("amzn", "2018.03")],
    ["rpm", os("sles", "15.5")],
    ["rpm", os("opensuse-leap", "15.5")],
    ["rpm", os("opensuse-tumbleweed", "20240101")],
    ["rpm", os("openeuler", "22.03", { name: "openEuler 22.03 (LTS-SP1)" })],
    ["rpm", os("tencentos", "3.1")],
    ["rpm", os("anolis", "23.1")],
    ["rpm", os("mariner", "2.0.20240101")],
  ] as const)("a %s package of %o matches alike when it comes back from an SBOM", (type, system) => {
    const fact = osPackage(type, type === "rpm" ? { module: "nodejs:18" } : {});
    const purl = purlOf(fact, system);
    expect(subjectsOf(factOfPurl(purl)!, osOfPurl(purl))).toEqual(subjectsOf(fact, system));
    expect(subjectsOf(fact, system)).not.toHaveProperty("undetermined");
  });

  test("the rpm module goes along", () => {
    expect(subjectsOf(osPackage("rpm", { module: "nodejs:18" }), os("almalinux", "8"))).toMatchObject([
      { module: "nodejs:18" },
    ]);
  });

  test.each([
    ["npm", "@babel", "core", "npm", "@babel/core"],
    ["pypi", "", "Ruamel.yaml", "PyPI", "ruamel-yaml"],
    ["maven", "org.apache", "log4j", "Maven", "org.apache:log4j"],
    ["golang", "", "stdlib", "Go", "stdlib"],
    ["cargo", "", "openssl-src", "crates.io", "openssl-src"],
    ["gem", "", "rails", "RubyGems", "rails"],
    ["composer", "Symfony", "HTTP-kernel", "Packagist", "symfony/http-kernel"],
    ["nuget", "", "Newtonsoft.Json", "NuGet", "newtonsoft.json"],
    ["generic", "", "nginx", "Bitnami", "nginx"],
  ] as const)("%s %s %s is %s %s, on any system", (type, namespace, name, ecosystem, spelled) => {
    const fact: PackageFact = { type, namespace, name, version: "1.0.0", evidence: "locked" };
    expect(subjectsOf(fact, undefined)).toEqual([{ ecosystem, name: spelled, version: "1.0.0" }]);
    expect(catalog.normalizeName(ecosystem, spelled)).toBe(spelled);
  });

  test.each([
    ["no operating system", osPackage("deb"), undefined],
    ["an unknown one", osPackage("deb"), os("kali", "2024.1", { idLike: ["debian"] })],
    ["a package of another family", osPackage("rpm"), os("debian", "12")],
    ["Alpine's edge", osPackage("apk"), os("alpine", "3.21_alpha20240923")],
    ["an unknown codename", osPackage("deb"), os("debian", "", { codename: "unheard" })],
    ["no version", osPackage("deb", { version: "" }), os("debian", "12")],
    [
      "a jar whose group nothing tells",
      { type: "maven", namespace: "", name: "app", version: "1.0", evidence: "installed" } as PackageFact,
      undefined,
    ],
  ])("%s is undetermined, never unaffected", (_, fact, system) => {
    const subjects = subjectsOf(fact, system);
    expect(subjects).toEqual({ undetermined: expect.stringMatching(/\w{3}/) });
    // One reason of a thousand packages is one problem.
    expect(subjectsOf({ ...fact, name: "other" }, system)).toEqual(subjects);
  });
});
