import type { Finding, ScanReport } from "@bulwark/model";
import type { RenderInput } from "../formats/format.ts";
import type { FoundPackage } from "../found-package.ts";
import { summarize } from "../summarize.ts";
import { fact } from "./layers.ts";

const DEBIAN = "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl";
const LODASH = "pkg:npm/lodash@4.17.4";

const FOUND: readonly FoundPackage[] = [
  {
    purl: DEBIAN,
    name: "libssl3",
    version: "3.0.11-1",
    path: "/var/lib/dpkg/status",
    layer: 0,
    fact: fact("libssl3", "3.0.11-1", { type: "deb", source: { name: "openssl", version: "3.0.11-1" }, arch: "amd64" }),
  },
  {
    purl: LODASH,
    name: "lodash",
    version: "4.17.4",
    path: "/app/node_modules/lodash/package.json",
    layer: 1,
    fact: fact("lodash", "4.17.4", { licenses: ["MIT"] }),
  },
];

const FINDINGS: readonly Finding[] = [
  {
    kind: "vulnerability",
    id: "CVE-2019-10744",
    severity: "critical",
    title: "Prototype pollution in defaultsDeep",
    package: { purl: LODASH, name: "lodash", version: "4.17.4" },
    fixedVersion: "4.17.12",
    status: "fixed",
    path: "/app/node_modules/lodash/package.json",
    layer: 1,
    origin: "own",
    epss: { score: 0.025, percentile: 0.9 },
    cvss: { version: "3.1", vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:H", score: 9.1 },
    aliases: ["GHSA-jf85-cpcp-j695"],
    evidence: { foundBy: "advisory", version: "1", references: ["https://example.org/advisory"] },
    advice: "Upgrade lodash to 4.17.12 or later in layer 1 (COPY app /app).",
  },
  {
    kind: "vulnerability",
    id: "CVE-2023-5678",
    severity: "medium",
    title: "Slow checks of X9.42 DH keys",
    package: { purl: DEBIAN, name: "libssl3", version: "3.0.11-1" },
    fixedVersion: "",
    status: "open",
    path: "/var/lib/dpkg/status",
    layer: 0,
    origin: "base",
    kev: { added: "2024-01-01", due: "2024-01-22", ransomware: false },
    aliases: [],
    advice: "There is no fixed version yet.",
  },
];

const LAYERS = [
  { index: 0, diffId: "sha256:aa", digest: "sha256:ab", size: 1_000, createdBy: "ADD rootfs.tar /", origin: "base" },
  { index: 1, diffId: "sha256:ba", digest: "sha256:bb", size: 10, createdBy: "COPY app /app", origin: "own" },
] as const;

/** A report with a base and an own finding, and its packages; `fields` replace parts of the report. */
export function renderInput(fields: Partial<ScanReport> = {}): RenderInput {
  const findings = fields.findings ?? FINDINGS;
  const report: ScanReport = {
    schemaVersion: 1,
    image: {
      reference: "registry.example/team/app:1",
      digest: `sha256:${"0".repeat(64)}`,
      platform: "linux/amd64",
      os: { id: "debian", versionId: "12", name: "Debian GNU/Linux 12 (bookworm)" },
      created: "2026-01-01T00:00:00Z",
      size: 1_010,
      layers: LAYERS,
      base: { reference: "docker.io/library/debian:12", digest: "", how: "flag" },
    },
    packages: FOUND.map(({ fact: _fact, ...rest }) => rest),
    findings,
    suppressed: [],
    summary: summarize(findings),
    complete: true,
    problems: [],
    database: { built: "2026-01-01T00:00:00Z", records: 100, seedOnly: false },
    verdict: { passed: true, violations: [] },
    ...fields,
  };
  const terminal = { columns: 100, colour: false };
  return { report, packages: FOUND, toolVersion: "0.1.0", now: "2026-01-31T12:00:00.000Z", terminal };
}

/** The same report with names that try to break out of whatever they are put into. */
export function hostileInput(): RenderInput {
  const evil = `</script><img src=x onerror=alert(1)>"'\u001b[2J\u202e\nREFUSED & more`;
  const [own] = FINDINGS;
  if (own === undefined) throw new Error("the sample has findings");
  const finding: Finding = {
    ...own,
    id: evil,
    title: evil,
    path: evil,
    advice: evil,
    package: { purl: LODASH, name: evil, version: evil },
    evidence: { foundBy: "advisory", version: "1", references: ["javascript:alert(1)", evil] },
  };
  const input = renderInput({ findings: [finding], problems: [{ path: evil, layer: 0, what: evil }], complete: false });
  const image = {
    ...input.report.image,
    reference: evil,
    layers: LAYERS.map((layer) => ({ ...layer, createdBy: evil })),
  };
  const suppressed = [{ finding, by: "vex" as const, source: evil, reason: evil, until: "" }];
  return { ...input, report: { ...input.report, image, suppressed } };
}
