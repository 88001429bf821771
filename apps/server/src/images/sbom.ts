import type { Finding, ScanReport } from "@bulwark/model";
import { formats } from "@bulwark/scan/formats";
import { type ImageDetail, imageFindings, imagePackageFacts, type TenantQueries } from "@bulwark/store";
import packageJson from "../../../../package.json" with { type: "json" };
import { referenceOf } from "./reference.ts";

const MAX_FINDINGS = 100_000;
const NONE = { critical: 0, high: 0, medium: 0, low: 0, negligible: 0, unknown: 0 };

/** The bill of materials of an image, as a scan of it would write it. */
export async function sbomOf(
  db: TenantQueries,
  image: ImageDetail,
  format: "cyclonedx" | "spdx",
  now: Date,
): Promise<string> {
  const facts = await imagePackageFacts(db, image.id);
  const found = await imageFindings(db, image, { kinds: ["vulnerability", "malware"], limit: MAX_FINDINGS });
  const packages = facts.map((each) => ({ ...each, version: each.fact.version }));
  const findings: Finding[] = found
    .filter((each) => each.package !== undefined)
    .map(({ package: of, exploited: _exploited, epss: _epss, cvss: _cvss, ...each }) => ({
      kind: each.kind,
      id: each.id,
      severity: each.severity,
      title: each.title,
      ...(of === undefined ? {} : { package: of }),
      fixedVersion: each.fixedVersion ?? "",
      ...(each.status === undefined ? {} : { status: each.status }),
      path: each.path,
      layer: each.layer,
      origin: each.origin,
      evidence: { foundBy: each.foundBy, version: "1", references: each.references },
      advice: each.advice,
    }));
  const report: ScanReport = {
    schemaVersion: 1,
    image: {
      reference: referenceOf(image),
      digest: image.digest,
      platform: image.platform,
      os: image.os === null ? null : { id: image.os.id, versionId: image.os.version, name: image.os.name },
      created: image.builtAt ?? "",
      size: image.sizeBytes,
      layers: image.layers.map(({ depth, diffId, digest, sizeBytes, createdBy, origin }) => ({
        index: depth,
        diffId,
        digest,
        size: sizeBytes,
        createdBy,
        origin,
      })),
      base: null,
    },
    packages: packages.map(({ purl, name, version, path, layer }) => ({ purl, name, version, path, layer })),
    findings,
    suppressed: [],
    summary: { ...NONE, byOrigin: { base: NONE, own: NONE } },
    complete: image.complete,
    problems: image.problems,
    database: null,
    verdict: { passed: true, violations: [] },
  };
  const writer = formats.find(({ id }) => id === format);
  if (writer === undefined) throw new Error(`no format ${format}`);
  const terminal = { columns: 0, colour: false };
  return writer.render({ report, packages, toolVersion: packageJson.version, now: now.toISOString(), terminal });
}
