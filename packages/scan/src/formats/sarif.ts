import { severityOfScore } from "@bulwark/advisory";
import type { Finding, Image, Severity } from "@bulwark/model";
import type { RenderInput, ReportFormat } from "./format.ts";
import { jsonText } from "./visible.ts";

/** GitHub and others sort by this number; these are the middles of CVSS's own bands (CVSS 3.1, section 5). */
const SECURITY_SEVERITY: Readonly<Record<Severity, string>> = {
  critical: "9.5",
  high: "8.0",
  medium: "5.5",
  low: "2.5",
  negligible: "0.5",
  unknown: "0.0",
};

const LEVEL: Readonly<Record<Severity, "error" | "warning" | "note">> = {
  critical: "error",
  high: "error",
  medium: "warning",
  low: "note",
  negligible: "note",
  unknown: "warning",
};

/** SARIF 2.1.0 (OASIS): one rule a flaw, one result a finding, suppressions kept with who said so. */
export const sarif: ReportFormat = {
  id: "sarif",
  render: (input) => jsonText(sarifLog(input)),
};

function sarifLog({ report, toolVersion }: RenderInput): object {
  const suppressed = report.suppressed.map(({ finding }) => finding);
  const rules = [...new Map([...report.findings, ...suppressed].map((finding) => [finding.id, finding])).values()];
  const indexOf = new Map(rules.map(({ id }, index) => [id, index]));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "Bulwark",
            version: toolVersion,
            rules: rules.map(ruleOf),
            notifications: [{ id: "not-read", shortDescription: { text: "Something could not be read or judged" } }],
          },
        },
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: report.problems.map(({ what, path }) => ({
              descriptor: { id: "not-read", index: 0 },
              level: "warning",
              message: { text: path === "" ? what : `${path}: ${what}` },
            })),
          },
        ],
        properties: { imageReference: report.image.reference, imageDigest: report.image.digest },
        results: [
          ...report.findings.map((finding) => resultOf(finding, indexOf, report.image)),
          ...report.suppressed.map(({ finding, reason, source }) => ({
            ...resultOf(finding, indexOf, report.image),
            suppressions: [{ kind: "external", status: "accepted", justification: `${reason} (${source})` }],
          })),
        ],
      },
    ],
  };
}

function ruleOf(finding: Finding): object {
  const help = finding.evidence?.references?.[0];
  return {
    id: finding.id,
    name: finding.kind,
    shortDescription: { text: finding.title || finding.id },
    ...(help !== undefined && URL.canParse(help) ? { helpUri: new URL(help).href } : {}),
    defaultConfiguration: { level: LEVEL[finding.severity] },
    properties: {
      tags: ["security", finding.kind],
      "security-severity": securitySeverity(finding),
    },
  };
}

/** The score, unless the packager rates the flaw otherwise: who knows how the package is built is believed. */
function securitySeverity({ cvss, severity }: Finding): string {
  return cvss !== undefined && severityOfScore(cvss.score) === severity
    ? cvss.score.toFixed(1)
    : SECURITY_SEVERITY[severity];
}

function resultOf(finding: Finding, indexOf: ReadonlyMap<string, number>, { kind }: Image): object {
  // The root of a repository goes by the name that the specification's examples use, and has no layers.
  const uriBaseId = kind === "source" ? "%SRCROOT%" : "ROOTFS";
  const logical = { logicalLocations: [{ name: `layer ${finding.layer}`, kind: "layer" }] };
  const subject = finding.package === undefined ? "" : `${finding.package.name} ${finding.package.version}: `;
  return {
    ruleId: finding.id,
    ruleIndex: indexOf.get(finding.id) ?? -1,
    level: LEVEL[finding.severity],
    message: { text: `${subject}${finding.title || finding.id}${seenOf(finding)}. ${finding.advice}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(finding.path ?? ""), uriBaseId },
          region: { startLine: finding.line ?? 1 },
        },
        ...(kind === "source" || finding.layer < 0 ? {} : logical),
      },
    ],
    partialFingerprints: {
      "bulwarkFinding/v1": [
        finding.id,
        finding.package?.purl ?? "",
        finding.path ?? "",
        ...(finding.evidence?.fingerprint === undefined ? [] : [finding.evidence.fingerprint]),
      ].join("|"),
    },
    properties: {
      origin: finding.origin,
      layer: finding.layer,
      ...(finding.package === undefined ? {} : { purl: finding.package.purl }),
      ...(finding.fixedVersion ? { fixedVersion: finding.fixedVersion } : {}),
    },
  };
}

/** What was seen, for findings that are no flaws of packages: those say it by their package. */
function seenOf({ kind, evidence }: Finding): string {
  return kind === "vulnerability" || evidence?.detail === undefined ? "" : `: ${evidence.detail}`;
}

function uriOf(path: string): string {
  // Documents from elsewhere may hold halves of characters, which no URI can.
  return path.toWellFormed().replace(/^\//, "").split("/").map(encodeURIComponent).join("/") || ".";
}
