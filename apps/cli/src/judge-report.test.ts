import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Finding } from "@bulwark/model";
import { summarize, type UnjudgedReport } from "@bulwark/scan";
import { afterAll, expect, test } from "vitest";
import { judgeReport } from "./judge-report.ts";

const folder = mkdtempSync(join(tmpdir(), "bulwark-judge-"));
afterAll(() => rmSync(folder, { recursive: true }));

const DIGEST = `sha256:${"b".repeat(64)}`;
const FINDING: Finding = {
  kind: "vulnerability",
  id: "CVE-2026-1000",
  severity: "high",
  title: "",
  package: { purl: "pkg:npm/thing@1.0", name: "thing", version: "1.0" },
  fixedVersion: "2.0",
  layer: 0,
  origin: "own",
  advice: "Upgrade it.",
};
const REPORT: UnjudgedReport = {
  schemaVersion: 1,
  image: {
    reference: "docker.io/library/app:1.2",
    digest: DIGEST,
    platform: "linux/amd64",
    os: null,
    created: "",
    size: 0,
    layers: [],
    base: null,
  },
  packages: [],
  findings: [FINDING],
  suppressed: [],
  summary: summarize([FINDING]),
  complete: true,
  problems: [],
  database: null,
};

test.each([
  ["docker.io/library/app:1.2", 1],
  [DIGEST, 1],
  [`pkg:oci/app@${DIGEST}`, 1],
  [`pkg:oci/app@${encodeURIComponent(DIGEST)}?arch=amd64&repository_url=docker.io%2Flibrary%2Fapp`, 1],
  ["pkg:oci/app?tag=1.2", 1],
  ["pkg:oci/app?tag=1.3", 0],
  [`pkg:oci/app@${DIGEST}?arch=arm64`, 0],
  ["docker.io/library/other:1.2", 0],
])("a VEX document that names the product %s speaks of the image, or not", async (product, suppressed) => {
  const file = join(folder, "app.openvex.json");
  const statement = { vulnerability: { name: FINDING.id }, products: [{ "@id": product }], status: "fixed" };
  const document = { "@context": "https://openvex.dev/ns/v0.2.0", author: "us", statements: [statement] };
  writeFileSync(file, JSON.stringify(document));
  const judged = await judgeReport(REPORT, {
    policies: [],
    vex: [file],
    severities: [],
    ignoreUnfixed: false,
    today: "2026-01-31",
  });
  expect(judged.suppressed).toHaveLength(suppressed);
});
