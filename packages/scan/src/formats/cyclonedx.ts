import type { Cvss, Finding, OperatingSystem, Severity, SuppressedFinding } from "@bulwark/model";
import type { FoundPackage } from "../found-package.ts";
import { documentId } from "./document-id.ts";
import type { RenderInput, ReportFormat } from "./format.ts";
import { jsonText } from "./visible.ts";

/** Properties of ours carry this prefix (CycloneDX property taxonomy). */
const PREFIX = "bulwark:";

const SEVERITY: Readonly<Record<Severity, string>> = {
  critical: "critical",
  high: "high",
  medium: "medium",
  low: "low",
  negligible: "info",
  unknown: "unknown",
};

const METHOD: Readonly<Record<Cvss["version"], string>> = {
  "2.0": "CVSSv2",
  "3.0": "CVSSv3",
  "3.1": "CVSSv31",
  "4.0": "CVSSv4",
};

/**
 * CycloneDX 1.6 (ECMA-424) with packages and vulnerabilities. Everything matching needs is in the purls and properties, so
 * that the document scanned again gives the same vulnerabilities.
 */
export const cyclonedx: ReportFormat = {
  id: "cyclonedx",
  render: (input) => jsonText(bom(input)),
};

function bom({ report, packages, toolVersion, now }: RenderInput): object {
  const { image } = report;
  const components = [
    ...(image.os === null ? [] : [osComponent(image.os)]),
    ...packages.map((found, index) => packageComponent(found, index, report)),
  ];
  const references = new Map<string, string[]>();
  packages.forEach((found, index) => {
    const known = references.get(found.purl);
    if (known === undefined) references.set(found.purl, [referenceOf(found, index)]);
    else known.push(referenceOf(found, index));
  });
  // Secrets and settings are no vulnerabilities of a component, and whoever reads the document would count them as such.
  const vulnerabilities = [
    ...report.findings.filter(hasPackage).map((finding) => vulnerability(finding, references)),
    ...report.suppressed
      .filter(({ finding }) => hasPackage(finding))
      .map((entry) => ({ ...vulnerability(entry.finding, references), analysis: analysisOf(entry) })),
  ];
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${documentId(JSON.stringify([report, now]))}`,
    version: 1,
    metadata: {
      timestamp: now,
      tools: { components: [{ type: "application", name: "bulwark", version: toolVersion }] },
      component: {
        type: "container",
        "bom-ref": "image",
        name: image.reference || "image",
        version: image.digest,
        properties: properties({
          platform: image.platform,
          created: image.created,
          base: image.base === null ? "" : JSON.stringify(image.base),
          layers: JSON.stringify(image.layers),
        }),
      },
    },
    components,
    compositions: [{ aggregate: report.complete ? "complete" : "incomplete", assemblies: ["image"] }],
    vulnerabilities,
  };
}

function hasPackage({ package: subject }: Finding): boolean {
  return subject !== undefined;
}

/** A waiver accepts a flaw for a while; only VEX says that the image does not have it. */
function analysisOf({ by, reason, source, until }: SuppressedFinding): object {
  const detail = `${reason} (${source}${until === "" ? "" : `, until ${until}`})`;
  return by === "vex" ? { state: "not_affected", detail } : { response: ["will_not_fix"], detail };
}

function osComponent(os: OperatingSystem): object {
  return {
    type: "operating-system",
    "bom-ref": "os",
    name: os.id,
    version: os.versionId,
    description: os.name,
    properties: properties({ "os:idLike": (os.idLike ?? []).join(" "), "os:codename": os.codename ?? "" }),
  };
}

function referenceOf({ purl }: FoundPackage, index: number): string {
  return `${purl}#${index}`;
}

function packageComponent(found: FoundPackage, index: number, { image }: RenderInput["report"]): object {
  const { fact, purl, version, path, layer } = found;
  return {
    type: "library",
    "bom-ref": referenceOf(found, index),
    ...(fact.namespace === "" ? {} : { group: fact.namespace }),
    name: fact.name,
    ...(version === "" ? {} : { version }),
    purl,
    ...licencesOf(found),
    ...(path === "" ? {} : { evidence: { occurrences: [{ location: path }] } }),
    properties: properties({
      evidence: fact.evidence,
      inner: fact.inner ?? "",
      layer: String(layer),
      diffId: image.layers[layer]?.diffId ?? "",
    }),
  };
}

function licencesOf({ fact }: FoundPackage): object {
  const names = (fact.licenses ?? []).filter((name) => name !== "");
  return names.length === 0 ? {} : { licenses: names.map((name) => ({ license: { name } })) };
}

function vulnerability(finding: Finding, references: ReadonlyMap<string, readonly string[]>): object {
  const affected = references.get(finding.package?.purl ?? "") ?? [];
  return {
    id: finding.id,
    ratings: [ratingOf(finding)],
    description: finding.title || finding.id,
    recommendation: finding.advice,
    affects: affected.map((ref) => ({ ref })),
    ...referencesOf(finding),
    properties: properties({
      fixedVersion: finding.fixedVersion ?? "",
      status: finding.status ?? "",
      origin: finding.origin,
      layer: String(finding.layer),
      kev: finding.kev === undefined ? "" : finding.kev.added,
      epss: finding.epss === undefined ? "" : String(finding.epss.score),
    }),
  };
}

function ratingOf({ severity, cvss }: Finding): object {
  if (cvss === undefined) return { severity: SEVERITY[severity] };
  return { severity: SEVERITY[severity], score: cvss.score, method: METHOD[cvss.version], vector: cvss.vector };
}

function referencesOf({ aliases = [], evidence }: Finding): object {
  const advisories = (evidence?.references ?? [])
    .filter((url) => URL.canParse(url))
    .map((url) => ({ url: new URL(url).href }));
  return {
    ...(aliases.length === 0 ? {} : { references: aliases.map((id) => ({ id, source: { name: sourceOf(id) } })) }),
    ...(advisories.length === 0 ? {} : { advisories }),
  };
}

function sourceOf(id: string): string {
  return id.split("-", 1)[0] ?? id;
}

function properties(values: Readonly<Record<string, string>>): object[] {
  return Object.entries(values)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => ({ name: `${PREFIX}${name}`, value }));
}
