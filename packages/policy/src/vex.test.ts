import { expect, test } from "vitest";
import { finding } from "./testing/report.ts";
import { applyVex, readVex } from "./vex.ts";

const PURL = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";
const IMAGE = "docker.io/library/app:1";

function vex(statements: readonly object[]): string {
  return JSON.stringify({
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://example.org/vex-1",
    author: "Product Security",
    timestamp: "2026-01-01T00:00:00Z",
    version: 1,
    statements,
  });
}

const STATEMENT = {
  vulnerability: { name: "CVE-2021-44228" },
  products: [{ "@id": PURL }],
  status: "not_affected",
  justification: "vulnerable_code_not_in_execute_path",
};

function left(...statements: readonly object[]): number {
  return applyVex([finding()], readVex(vex(statements), "app.openvex.json"), [IMAGE]).findings.length;
}

test("a not_affected statement takes the finding out and keeps who said so and why", () => {
  const { suppressed } = applyVex([finding()], readVex(vex([STATEMENT]), "app.openvex.json"), [IMAGE]);
  expect(suppressed).toEqual([
    {
      finding: finding(),
      by: "vex",
      source: "app.openvex.json, Product Security",
      reason: "vulnerable_code_not_in_execute_path",
      until: "",
    },
  ]);
});

test.each([
  ["another flaw", { ...STATEMENT, vulnerability: { name: "CVE-2021-45046" } }, 1],
  ["another version", { ...STATEMENT, products: [{ "@id": PURL.replace("2.14.1", "2.13.0") }] }, 1],
  ["any version", { ...STATEMENT, products: [{ "@id": PURL.replace("@2.14.1", "") }] }, 0],
  ["the image alone", { ...STATEMENT, products: [{ "@id": IMAGE }] }, 0],
  ["the package in this image", { ...STATEMENT, products: [{ "@id": IMAGE, subcomponents: [{ "@id": PURL }] }] }, 0],
  [
    "the package in another image",
    { ...STATEMENT, products: [{ "@id": "other:1", subcomponents: [{ "@id": PURL }] }] },
    1,
  ],
  ["another package of this image", { ...STATEMENT, products: [{ "@id": IMAGE, subcomponents: ["pkg:npm/x"] }] }, 1],
  ["the alias", { ...STATEMENT, vulnerability: { name: "GHSA-jfh8-c2jp-5v3q" } }, 0],
  ["affected", { ...STATEMENT, status: "affected" }, 1],
  ["under investigation", { ...STATEMENT, status: "under_investigation" }, 1],
  ["fixed", { ...STATEMENT, status: "fixed" }, 0],
])("a statement about %s leaves the right findings", (_what, statement, count) => {
  expect(left(statement)).toBe(count);
});

const DIGEST = `sha256:${"a".repeat(64)}`;
const PRODUCT = `pkg:oci/app@${encodeURIComponent(DIGEST)}?arch=amd64&repository_url=docker.io%2Flibrary%2Fapp`;

test.each([
  [`pkg:oci/app@${DIGEST}`, 0],
  [`pkg:oci/app@${encodeURIComponent(DIGEST)}`, 0],
  [`pkg:oci/app@${DIGEST}?repository_url=docker.io/library/app`, 0],
  [`pkg:oci/app@${DIGEST}?repository_url=docker.io%2Flibrary%2Fapp&arch=amd64`, 0],
  [`pkg:oci/app@${DIGEST}?repository_url=example.org/app`, 1],
  [`pkg:oci/app@${DIGEST}?arch=arm64`, 1],
  ["pkg:oci/app@sha256%3", 1],
])("a product written %s is recognised in whatever spelling", (id, count) => {
  const statements = readVex(vex([{ ...STATEMENT, products: [{ "@id": id }] }]), "x");
  expect(applyVex([finding()], statements, [PRODUCT]).findings).toHaveLength(count);
});

test("times of different zones are compared as times", () => {
  const early = { ...STATEMENT, status: "affected", timestamp: "2026-02-01T09:00:00+09:00" };
  expect(left({ ...STATEMENT, timestamp: "2026-02-01T08:00:00Z" }, early)).toBe(0);
});

test("the newest statement wins", () => {
  const later = { ...STATEMENT, status: "affected", timestamp: "2026-02-01T00:00:00Z" };
  expect(left(STATEMENT, later)).toBe(1);
  expect(left(later, { ...STATEMENT, timestamp: "2026-03-01T00:00:00Z" })).toBe(0);
});

test.each([
  ["no JSON", "{"],
  ["another kind of document", JSON.stringify({ "@context": "https://example.org" })],
  ["an unknown status", vex([{ ...STATEMENT, status: "fine" }])],
  ["not_affected without a reason", vex([{ ...STATEMENT, justification: undefined }])],
  ["no flaw", vex([{ ...STATEMENT, vulnerability: {} }])],
])("%s is refused", (_what, text) => {
  expect(() => readVex(text, "x.json")).toThrow(/x\.json/);
});
