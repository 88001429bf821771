import { expect, test } from "vitest";
import { scanSbom } from "./scan-sbom.ts";

const scan = (document: unknown) =>
  scanSbom(typeof document === "string" ? document : JSON.stringify(document), "sbom:x", undefined).report;
const names = (document: unknown) => scan(document).packages.map(({ name, version }) => `${name}@${version}`);

const cyclonedx = (components: readonly object[], specVersion = "1.4") => ({
  bomFormat: "CycloneDX",
  specVersion,
  components,
});

test("CycloneDX of other tools gives its packages, nested ones too, and the operating system", () => {
  const document = cyclonedx([
    { type: "operating-system", name: "debian", version: "12" },
    {
      type: "library",
      name: "libssl3",
      purl: "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl",
    },
    { type: "application", name: "app", components: [{ type: "library", purl: "pkg:npm/%40babel/core@7.0.0" }] },
    { type: "library", name: "nameless" },
  ]);
  const report = scan(document);
  expect(names(document)).toEqual(["libssl3@3.0.11-1", "@babel/core@7.0.0"]);
  expect(report.image).toMatchObject({ os: { id: "debian", versionId: "12" }, layers: [{ origin: "own" }] });
  expect(report.problems.map(({ what }) => what)).toEqual(["2 components have no package URL and were not judged"]);
  expect(report.complete).toBe(false);
});

test("without an operating system component the purls tell the distribution", () => {
  const purl = "pkg:apk/alpine/busybox@1.36.1-r5?arch=x86_64&distro=alpine-3.19.1";
  expect(scan(cyclonedx([{ type: "library", purl }])).image.os).toMatchObject({ id: "alpine" });
});

test("SPDX of other tools gives its packages", () => {
  const reference = {
    referenceCategory: "PACKAGE-MANAGER",
    referenceType: "purl",
    referenceLocator: "pkg:pypi/django@2.2.0",
  };
  const packages = [
    { SPDXID: "SPDXRef-1", name: "Django", versionInfo: "2.2.0", externalRefs: [reference] },
    { SPDXID: "SPDXRef-2", name: "image" },
  ];
  expect(names({ spdxVersion: "SPDX-2.3", documentDescribes: ["SPDXRef-2"], packages })).toEqual(["Django@2.2.0"]);
});

test.each([
  ["no JSON", "{"],
  ["another document", '{"hello":"world"}'],
  ["SPDX 3", '{"spdxVersion":"SPDX-3.0"}'],
  ["a list", "[]"],
  ["nothing", "null"],
])("%s is refused with what to give instead", (_what, text) => {
  expect(() => scan(text)).toThrow(
    expect.objectContaining({ code: "SBOM_INVALID", next: expect.stringMatching(/CycloneDX/) }),
  );
});

test("nonsense inside a document is a problem, not a failure", () => {
  const nested = { components: {} };
  let deep: object = nested;
  for (let level = 0; level < 100; level++)
    deep = { type: "library", purl: `pkg:npm/a${level}@1.0.0`, components: [deep] };
  const report = scan(
    cyclonedx([
      deep,
      { purl: "pkg:" },
      { purl: 7 },
      { purl: "pkg:npm/x@1", properties: [{ name: "bulwark:layer", value: "-5" }] },
    ]),
  );
  expect(report.packages.length).toBeGreaterThan(20);
  expect(report.packages.every(({ layer }) => layer === 0)).toBe(true);
  expect(report.problems.map(({ what }) => what)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/nested deeper than 32/),
      expect.stringMatching(/package URL not understood: pkg:/),
    ]),
  );
});

test("a version that the package URL leaves out is that of the component", () => {
  expect(names(cyclonedx([{ type: "library", name: "a", version: "1.2", purl: "pkg:npm/a" }]))).toEqual(["a@1.2"]);
  const reference = { referenceType: "purl", referenceLocator: "pkg:npm/a" };
  const packages = [{ name: "a", versionInfo: "1.2", externalRefs: [reference] }];
  expect(names({ spdxVersion: "SPDX-2.3", packages })).toEqual(["a@1.2"]);
});
