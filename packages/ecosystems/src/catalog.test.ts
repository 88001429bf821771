import { describe, expect, test } from "vitest";
import { catalog } from "./catalog.ts";

describe("the catalogue of ecosystems", () => {
  test.each([
    ["Debian", "Debian"],
    ["Debian:12", "Debian:12"],
    ["Alpine", "Alpine"],
    ["Alpine:v3.19", "Alpine:v3.19"],
    ["Alpine:3.19", "Alpine:v3.19"],
    ["Ubuntu:22.04:LTS", "Ubuntu:22.04"],
    ["Ubuntu:24.10", "Ubuntu:24.10"],
    ["Ubuntu:Pro:18.04:LTS", "Ubuntu:Pro:18.04"],
    ["Red Hat:enterprise_linux:9::baseos", "Red Hat:9"],
    ["Red Hat:enterprise_linux:8::appstream", "Red Hat:8"],
    ["Red Hat:rhel_eus:9.2::baseos", "Red Hat:rhel_eus:9.2"],
    ["Rocky Linux:9", "Rocky Linux:9"],
    ["SUSE:Linux Enterprise Server 15 SP5", "SUSE:Linux Enterprise Server 15 SP5"],
    ["openSUSE:Leap:15.5", "openSUSE:Leap 15.5"],
    ["openSUSE:Tumbleweed", "openSUSE:Tumbleweed"],
    ["Photon OS:5.0", "Photon OS:5"],
    ["Maven:https://repo.example.org/", "Maven"],
    ["npm", "npm"],
    ["Wolfi", "Wolfi"],
    ["Android", undefined],
    ["", undefined],
    ["__proto__", undefined],
  ])("%j is %j", (given, normal) => {
    expect(catalog.normalizeEcosystem(given)).toBe(normal);
    if (normal === undefined) expect(catalog.schemeOf(given)).toBeUndefined();
    else {
      expect(catalog.normalizeEcosystem(normal)).toBe(normal);
      expect(catalog.schemeOf(normal)).toBeDefined();
    }
  });

  test("names are normalised where the registry does not tell spellings apart, and only there", () => {
    expect(catalog.normalizeName("PyPI", "Flask__Login.X")).toBe("flask-login-x");
    expect(catalog.normalizeName("NuGet", "Newtonsoft.Json")).toBe("newtonsoft.json");
    expect(catalog.normalizeName("npm", "JSONStream")).toBe("JSONStream");
    expect(catalog.normalizeName("Debian:12", "OpenSSL")).toBe("OpenSSL");
  });
});
