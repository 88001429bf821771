import type { AdvisoryDatabase } from "@bulwark/advisory";
import { factOfPurl, osOfPurl } from "@bulwark/ecosystems";
import type { Image, Layer, OperatingSystem, PackageFact, Problem } from "@bulwark/model";
import { fieldsOf, textOf } from "@bulwark/model";
import { ScanError } from "../errors.ts";
import { type FoundPackage, fullName } from "../found-package.ts";
import { assemble, type ScanResult } from "../scan-image.ts";
import { readCycloneDx } from "./read-cyclonedx.ts";
import { readSpdx } from "./read-spdx.ts";
import type { Sbom, SbomPackage } from "./sbom.ts";

/** An SBOM without layers is taken as one layer of the image's own. */
const WHOLE: Layer = { index: 0, diffId: "", digest: "", size: 0, createdBy: "", origin: "own" };

/**
 * Matches the packages of an SBOM: CycloneDX JSON 1.4 or later, or SPDX 2.3 JSON. Documents that Bulwark made carry
 * layers and paths, so that they give the findings of the image they were made from.
 *
 * @param text the document
 * @param reference how the report names it
 * @throws ScanError `SBOM_INVALID`
 * @example scanSbom(await readFile("app.cdx.json", "utf8"), "sbom:app.cdx.json", database).report.findings;
 */
export function scanSbom(text: string, reference: string, database: AdvisoryDatabase | undefined): ScanResult {
  const sbom = readSbom(text, reference);
  const packages: FoundPackage[] = [];
  const problems: Problem[] = sbom.problems.map((what) => ({ path: "", layer: -1, what }));
  const layers = sbom.image.layers ?? [WHOLE];
  let os: OperatingSystem | undefined = sbom.os;
  for (const entry of sbom.packages) {
    const fact = factOfPurl(entry.purl);
    if (fact === undefined) {
      problems.push({ path: entry.path, layer: -1, what: `package URL not understood: ${entry.purl}` });
      continue;
    }
    os ??= osOfPurl(entry.purl);
    packages.push(toFound(entry, fact, layers.length));
  }
  const image: Image = {
    reference,
    digest: sbom.image.digest ?? "",
    platform: sbom.image.platform ?? "",
    os: os ?? null,
    created: sbom.image.created ?? "",
    size: layers.reduce((sum, layer) => sum + layer.size, 0),
    layers,
    base: sbom.image.base ?? null,
  };
  return assemble(image, packages, problems, database);
}

function toFound(entry: SbomPackage, fact: PackageFact, layers: number): FoundPackage {
  const full: PackageFact = {
    ...fact,
    version: fact.version || entry.version,
    evidence: entry.evidence,
    ...(entry.inner === "" ? {} : { inner: entry.inner }),
  };
  const layer = entry.layer < layers ? entry.layer : 0;
  const name = isSpellingOf(entry.name, full.name) ? entry.name : fullName(full);
  return { purl: entry.purl, name, version: full.version, path: entry.path, layer, fact: full };
}

/** `Django` is `django`: PyPI's purls hold the normalised name. */
function isSpellingOf(written: string, normalized: string): boolean {
  return written !== normalized && written.toLowerCase().replace(/[-_.]+/g, "-") === normalized;
}

function readSbom(text: string, reference: string): Sbom {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw invalid(reference, "it is not JSON", cause);
  }
  const fields = fieldsOf(document);
  if (fields.bomFormat === "CycloneDX") return readCycloneDx(fields);
  if (textOf(fields.spdxVersion).startsWith("SPDX-2.")) return readSpdx(fields);
  throw invalid(reference, "it is neither CycloneDX nor SPDX 2");
}

function invalid(reference: string, what: string, cause?: unknown): ScanError {
  return new ScanError(
    "SBOM_INVALID",
    `${reference}: ${what}`,
    "give a CycloneDX 1.4+ or SPDX 2.3 document in JSON",
    cause,
  );
}
