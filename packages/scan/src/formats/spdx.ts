import type { Finding } from "@bulwark/model";
import type { FoundPackage } from "../found-package.ts";
import { documentId } from "./document-id.ts";
import type { RenderInput, ReportFormat } from "./format.ts";
import { jsonText } from "./visible.ts";

const DOCUMENT = "SPDXRef-DOCUMENT";
const IMAGE = "SPDXRef-Image";
const OS = "SPDXRef-OperatingSystem";

/** SPDX 2.3 (JSON): the image contains its packages; advisories are external references of the package they concern. */
export const spdx: ReportFormat = {
  id: "spdx",
  render: (input) => jsonText(document(input)),
};

function document({ report, packages, toolVersion, now }: RenderInput): object {
  const { image } = report;
  const findings = Map.groupBy(report.findings, (finding) => finding.package?.purl ?? "");
  const os = image.os === null ? [] : [osPackage(image.os)];
  const ids = [...(image.os === null ? [] : [OS]), ...packages.map((_found, index) => idOf(index))];
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: DOCUMENT,
    name: image.reference || "image",
    documentNamespace: `https://bulwark.invalid/spdx/${documentId(JSON.stringify([report, now]))}`,
    creationInfo: { created: now.replace(/\.\d+Z$/, "Z"), creators: [`Tool: bulwark-${toolVersion}`] },
    documentDescribes: [IMAGE],
    packages: [
      imagePackage(report),
      ...os,
      ...packages.map((found, index) => spdxPackage(found, index, findings.get(found.purl) ?? [])),
    ],
    relationships: [
      { spdxElementId: DOCUMENT, relationshipType: "DESCRIBES", relatedSpdxElement: IMAGE },
      ...ids.map((id) => ({ spdxElementId: IMAGE, relationshipType: "CONTAINS", relatedSpdxElement: id })),
    ],
  };
}

function imagePackage({ image }: RenderInput["report"]): object {
  const [algorithm, value] = image.digest.split(":");
  return {
    SPDXID: IMAGE,
    name: image.reference || "image",
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    primaryPackagePurpose: "CONTAINER",
    ...(algorithm === "sha256" && value !== undefined
      ? { checksums: [{ algorithm: "SHA256", checksumValue: value }] }
      : {}),
  };
}

function osPackage({ id, versionId, name }: NonNullable<RenderInput["report"]["image"]["os"]>): object {
  return {
    SPDXID: OS,
    name: id,
    ...(versionId === "" ? {} : { versionInfo: versionId }),
    summary: name,
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    primaryPackagePurpose: "OPERATING_SYSTEM",
  };
}

function idOf(index: number): string {
  return `SPDXRef-Package-${index}`;
}

function spdxPackage(
  { fact, purl, name, path, layer }: FoundPackage,
  index: number,
  findings: readonly Finding[],
): object {
  const inner = fact.inner === undefined ? "" : `, inside ${fact.inner}`;
  return {
    SPDXID: idOf(index),
    name,
    ...(fact.version === "" ? {} : { versionInfo: fact.version }),
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    sourceInfo: `${fact.evidence}${path === "" ? "" : `: ${path}${inner}`}, layer ${layer}`,
    externalRefs: [
      { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl },
      ...findings.map(({ id, title }) => ({
        referenceCategory: "SECURITY",
        referenceType: "advisory",
        referenceLocator: `https://osv.dev/vulnerability/${encodeURIComponent(id.toWellFormed())}`,
        ...(title === "" ? {} : { comment: title }),
      })),
    ],
  };
}
